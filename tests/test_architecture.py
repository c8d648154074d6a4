"""The structure holds: directions of imports, light start, one statement of each contract."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from forensics import schema
from forensics.loaders import base

ROOT = Path(__file__).resolve().parent.parent


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, runpy\n"
        "sys.argv = ['missent', '--help']\n"
        "try:\n    from forensics.cli import main; main()\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'numba', 'duckdb', 'pyarrow', 'numpy', 'matplotlib', 'dask'} & set(sys.modules)\n"
        "sys.exit(f'imported for --help: {sorted(heavy)}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_import_directions_hold() -> None:
    # `python -m importlinter.cli` does nothing and ends well.
    code = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "Contracts: " in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("forensics", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in sorted(graph.modules)}
    assert "forensics.review" in imports["forensics.pipeline"], "imports inside functions count as well"
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as circle:
        pytest.fail(" → ".join(reversed(circle.args[1])))


@pytest.mark.parametrize(
    "name", ["DELIVERIES", "UNREAD", "FINDINGS", "INCIDENTS", "CORRESPONDENTS", "LOOKALIKES", "HOPS", "LEGS"]
)
def test_every_column_says_what_it_means(name: str) -> None:
    for column, _, meaning in schema.describe(getattr(base if name in ("HOPS", "LEGS") else schema, name)):
        assert meaning, f"{name}.{column}"


def test_only_the_engine_imports_dask() -> None:
    for path in (ROOT / "forensics").rglob("*.py"):
        if path.parent.name != "engine":
            assert not re.search(r"^\s*(import|from) (dask|distributed)\b", path.read_text("utf-8"), re.M), path


PROVIDES = {  # import names that differ from the name of the distribution
    "axe_core_python": "axe-core-python",
    "dask": "distributed",
    "docx": "docxtpl",
    "grimp": "import-linter",  # what import-linter stands on
    "lxml": "docxtpl",  # what python-docx stands on
    "yaml": "pyyaml",
    "sklearn": "scikit-learn",
    "IPython": "ipykernel",
    "importlinter": "import-linter",
    "markupsafe": "jinja2",
    "cyclonedx": "cyclonedx-python-lib",
    "packageurl": "cyclonedx-python-lib",  # what it names packages with
    "pip": "",
}


def test_everything_imported_is_declared() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    named = [*declared["project"]["dependencies"], *declared["dependency-groups"]["dev"]]
    names = {re.split(r"[<>=\[]", one)[0].strip().lower() for one in named}
    sources = {
        path: path.read_text("utf-8")
        for room in ("forensics", "tests", "tools")
        for path in (ROOT / room).rglob("*.py")
    }
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        sources[path] = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    missing = set()
    for path, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                modules = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            else:
                continue
            for top in {module.split(".")[0] for module in modules}:
                local = top in sys.stdlib_module_names or top in ("forensics", "tests", "tools")
                if not local and PROVIDES.get(top, top).lower() not in names:
                    missing.add(f"{path.relative_to(ROOT)} imports {top}")
    assert not missing


def test_every_package_that_it_needs_to_run_is_imported() -> None:
    """What nobody imports is room, licences and weaknesses for nothing."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "forensics").rglob("*.py"))
    tops = set(re.findall(r"^\s*(?:import|from) (\w+)", source, re.M))
    assert {re.split(r"[<>=\[]", one)[0] for one in declared} <= {PROVIDES.get(top, top) for top in tops}


def test_only_the_room_of_compiled_code_knows_the_compiler_and_only_its_public_interface() -> None:
    """No private module, no extension of the compiler, no pointers: the next numba must not break an installation."""
    for path in (ROOT / "forensics").rglob("*.py"):
        source = path.read_text("utf-8")
        modules = set(re.findall(r"^\s*(?:import|from) ((?:numba|llvmlite)[\w.]*)", source, re.M))
        if (ROOT / "forensics" / "native") in path.parents:
            assert modules <= {"numba", "llvmlite", "llvmlite.binding"}, path
            assert not re.search(
                r"numba\.(core|extending|np|targets)|ctypes|carray|address_as|_nrt|intrinsic", source
            ), path
        else:
            assert not modules, path


def test_no_program_is_started_by_the_package() -> None:
    """What a started interpreter finds in the current folder would run: it may be the folder of the evidence."""
    apart = ROOT / "forensics" / "report" / "foreign.py"
    assert '"-P", "-B", "-m"' in apart.read_text("utf-8")  # nothing of the current folder is imported
    tools = ROOT / "forensics" / "custody" / "programs.py"
    assert 'cwd="/"' in tools.read_text("utf-8")  # openssl and ssh-keygen alone, and none that lies in this folder
    for path in set((ROOT / "forensics").rglob("*.py")) - {apart, tools}:
        assert not re.search(
            r"\b(subprocess|multiprocessing|Popen|os\.(system|exec|spawn))", path.read_text("utf-8")
        ), path
