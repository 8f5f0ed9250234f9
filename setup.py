"""What pyproject.toml cannot say: a wheel holds nothing that an earlier build has left behind in build/."""

import shutil

from setuptools import setup
from setuptools.command.build import build


class FreshBuild(build):
    """Builds into an empty folder."""

    def run(self) -> None:
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(cmdclass={"build": FreshBuild})
