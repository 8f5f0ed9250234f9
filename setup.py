"""A build that starts empty, so that no wheel holds files left in build/; pyproject.toml cannot say this."""

import shutil

from setuptools import setup
from setuptools.command.build import build


class FreshBuild(build):
    """A build into an empty folder."""

    def run(self) -> None:
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(cmdclass={"build": FreshBuild})
