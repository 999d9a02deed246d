"""The build of the wheel: the studies, which live and are edited in studies/, are put into the package."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

STUDIES = "_studies"  # medcls/utils/installation.py looks for them there


class BuildWithStudies(build_py):
    """Copies the study files into the package, unless the installation is editable and finds them in the checkout."""

    def run(self) -> None:
        """Build the package, then copy the studies."""
        super().run()
        if self.editable_mode:
            return
        for target, source in self._copies().items():
            self.mkpath(str(Path(target).parent))
            self.copy_file(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return every file that the build writes."""
        copies = [] if self.editable_mode else list(self._copies())
        return [*super().get_outputs(include_bytecode), *copies]

    def get_source_files(self) -> list[str]:
        """Return every file that the build reads, which a source distribution takes along."""
        return [*super().get_source_files(), *self._copies().values()]

    def _copies(self) -> dict[str, str]:
        copies = {}
        for file in sorted(Path("studies").glob("*.py")):
            if file.name != "__init__.py":
                copies[str(Path(self.build_lib, "medcls", STUDIES, file.name))] = str(file)
        return copies


setup(cmdclass={"build_py": BuildWithStudies})
