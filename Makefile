# Two commands: `make demo` (the worked examples) and `make test`. Both install into .venv first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: install demo test test-long lint bench docs picture wheelhouse sbom release clean

install: $(STAMP)

$(STAMP): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Missent needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/missent doctor --compile
	touch $@

demo: install
	rm -rf reports/albion reports/mod-2023
	$(BIN)/missent demo --out case/demo --reports reports

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-long: install
	$(BIN)/python -m pytest -m long

lint: install
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --clean

# What a machine without a network installs from: pip install --no-index --find-links wheelhouse missent
WHEELHOUSE ?= wheelhouse
wheelhouse:
	$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt --wheel-dir $(WHEELHOUSE)
	$(PYTHON) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(WHEELHOUSE) .

# The picture of README.md; needs pdftoppm (poppler).
picture:
	pdftoppm -png -r 72 -singlefile -f 1 -l 1 reports/albion/incident.pdf docs/page-one

# What a release needs to run, as CycloneDX and as a requirements file with digests; the same bytes each time.
sbom: install
	mkdir -p dist
	$(BIN)/python -m tools.sbom dist

# Everything that a release consists of, in dist/, held to what it promises on every Python named here that is there.
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
release: install
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel -t sdist
	$(BIN)/python -m tools.sbom dist
	cd dist && sha256sum * > SHA256SUMS
	$(BIN)/python -m tools.release dist $(PYTHONS)

bench: install
	$(BIN)/python -m tests.bench

clean:
	rm -rf $(VENV) .bench case site wheelhouse dist
