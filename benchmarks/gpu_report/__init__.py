"""The GPU report: does the library work on a GPU, how fast is it, and do its tests pass there.

Two runs of under nine minutes each give all of it.

A run         command.py: options and exit code; visit.py: from the first look to the tables; settings.py
Groups        groups.py: all of them, with their limits; running.py, child.py: each in its own process
Processes     processes.py: a limit, the output kept; tied.py: ends with its parent;
              endurance.py: signals and broken outputs that the report survives
smoke         smoke.py: its stages; stages.py: their lines; probe.py: the look before it; memory_growth.py;
              sanitizer.py with few_steps.py
Speed         job.py: the job, on problem.py; ours.py, numpy_job.py, with_pytorch.py, with_jax.py;
              variants.py: its step with other optimizers and layers;
              race.py, race_pytorch.py, race_jax.py: the race to 97 %, each in its own process;
              big_step.py, cold_start.py with first_step.py, numerical.py, micro.py
tests         gpu_tests.py: folder by folder; pytest_unit.py with outcomes.py: one of them; tests_summary.py
private       private.py: your own scripts
Results       rows.py: the raw rows; readings.py, targets.py, verdicts.py, wrong.py: verdicts;
              document.py: as JSON; tables.py: as text; machine.py: the machine
The library   library.py: everything used beyond its public names
"""
