"""What holds on a GPU, in two runs of under nine minutes: does it work, how fast is it, do the tests pass.

A run         command.py: options and exit code; visit.py: from the first look to the tables; settings.py
Groups        groups.py: all of them, with their limits; running.py, child.py: each in a process of its own
Processes     processes.py: a limit, the output kept; tied.py: the end of its parent is its own;
              endurance.py: what the report itself survives
smoke         smoke.py: its stages; stages.py: how they tell; probe.py: the look before it; memory_growth.py;
              sanitizer.py with few_steps.py
Speed         job.py: the job, on problem.py; ours.py, numpy_job.py, with_pytorch.py, with_jax.py: by whom;
              big_step.py, cold_start.py with first_step.py, numerical.py, micro.py
tests         gpu_tests.py: folder by folder; pytest_unit.py with outcomes.py: one of them; tests_summary.py
private       private.py: scripts of one's own
Results       rows.py: as they come; readings.py, targets.py, verdicts.py, wrong.py: what they come to;
              document.py: as JSON; tables.py: as text; machine.py: on what
The library   library.py: what is asked of it beyond its public names
"""
