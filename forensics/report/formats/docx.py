"""The report as an editable Word document: the template's styles, no direct formatting.

The template is filled with autoescape on, so that a value such as `<script>` stays text instead of vanishing as
markup. Charts are the same SVG as elsewhere, drawn to PNG by typst, because Word shows no SVG on its own.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from forensics.errors import UsageError
from forensics.report import facts as f
from forensics.report.text import blocks as b
from forensics.report.text.context import Context, media_type
from forensics.report.text.visible import cut, visible

LONGEST = 600
"""Characters of one value that the document shows; the CSV annex has it whole."""

WIDTH_MM = 156
"""Between the margins of the template (`tools/docx_template.py` sets them by it); a table's columns share it."""

_DXA = 56.6929
"""Twentieths of a point in a millimetre: Word's unit of table width."""

_LETTER_MM = {False: 1.6, True: 1.35}
"""Rough width of a letter in a table, by `small`: to give columns of numbers no more than they need."""


_LIBRARY = re.compile(r"\{_[{%]|[}%]_\}")


def shown(value: str) -> str:
    """A value as the document prints it."""
    # `{_{` and its like are the template library's own escapes: it would turn them into `{{`.
    return _LIBRARY.sub(lambda m: m[0].replace("_", "\\u{5f}"), visible(cut(value, LONGEST)))


def _spans(spans: b.Spans) -> list[dict[str, str]]:
    return [{"k": span.kind, "t": shown(span.text)} for span in spans]


def _letters(parts: tuple[b.Letters, ...]) -> list[dict[str, Any]]:
    return [{"t": shown(part.text), "mark": part.mark} for part in parts]


def _dxa(millimetres: float) -> int:
    return round(millimetres * _DXA)


def _column_widths(table: b.Table) -> list[int]:
    """Word wants widths: what has no share gets what its longest text needs, the rest is shared out."""
    letter = _LETTER_MM[table.small]
    fixed = {}
    for index, column in enumerate(table.columns):
        if column.width == 0:
            longest = max((len(b.plain(row[index])) for row in table.rows), default=0)
            words = max(map(len, column.title.split()), default=0)
            # Titles are bold.
            fixed[index] = min(max(longest * letter, words * letter * 1.1) + 3, 44.0)
    free = max(WIDTH_MM - sum(fixed.values()), 16.0 * (len(table.columns) - len(fixed)))
    shares = sum(column.width for column in table.columns) or 1
    widths = [fixed.get(i, free * column.width / shares) for i, column in enumerate(table.columns)]
    scale = WIDTH_MM / sum(widths)
    return [_dxa(width * scale) for width in widths]


def _table(table: b.Table) -> dict[str, Any]:
    widths = _column_widths(table)
    right = [column.align == "right" for column in table.columns]
    return {
        "k": "table",
        "small": table.small,
        "caption": shown(table.caption),
        "columns": [
            {"title": shown(column.title), "right": r, "w": w}
            for column, r, w in zip(table.columns, right, widths, strict=True)
        ],
        "rows": [
            [{"spans": _spans(cell), "right": r, "w": w} for cell, r, w in zip(row, right, widths, strict=True)]
            for row in table.rows
        ],
    }


def _block(block: b.Laid, picture: Any) -> dict[str, Any]:
    match block:
        case b.Heading(level, text, _):
            return {"k": "heading", "level": level, "text": shown(text)}
        case b.Para(spans, style):
            return {"k": "para", "style": style, "spans": _spans(spans)}
        case b.Items(items, _):
            return {"k": "items", "lines": [_spans(item) for item in items]}
        case b.Terms(items):
            return {"k": "terms", "lines": [{"name": shown(name), "spans": _spans(value)} for name, value in items]}
        case b.Figures(items):
            width = _dxa(WIDTH_MM / max(len(items), 1))
            return {
                "k": "figures",
                "lines": [
                    {
                        "value": x.value,
                        "label": shown(x.label),
                        "style": "exposed" if x.exposed else x.kind,
                        "w": width,
                    }
                    for x in items
                ],
            }
        case b.Points(items):
            return {
                "k": "points",
                "lines": [{"name": shown(f"{p.number}  {p.title}"), "spans": _spans(p.spans)} for p in items],
            }
        case b.SlipLine(meant, typed, meant_label, typed_label):
            return {
                "k": "slip",
                "meant": _letters(meant),
                "typed": _letters(typed),
                "meant_label": shown(meant_label),
                "typed_label": shown(typed_label),
            }
        case b.Table():
            return _table(block)
        case b.Chart(svg, alt, caption, share):
            drawn = picture(png(svg, WIDTH_MM * share), shown(alt), WIDTH_MM * share)
            return {"k": "chart", "caption": shown(caption), "picture": drawn}
        case b.NewPage():
            return {"k": "page"}


def _blocks(laid: Iterable[b.Laid], picture: Any) -> list[dict[str, Any]]:
    """`last`: a new page follows the block."""
    every = list(laid)
    turns = [*(isinstance(block, b.NewPage) for block in every[1:]), False]
    return [_block(block, picture) | {"last": last} for block, last in zip(every, turns, strict=True)]


def png(svg: bytes, millimetres: float = WIDTH_MM) -> bytes:
    """A picture of an SVG drawing, 220 dots an inch, with the fonts that the PDF uses."""
    import typst

    from forensics.report.formats.pdf import drawn as drawable_only
    from forensics.report.formats.pdf import fonts

    source = (
        f"#set page(width: {millimetres}mm, height: auto, margin: 0pt, fill: white)\n"
        '#image(bytes(sys.inputs.svg), format: "svg", width: 100%)'
    )
    compiler = typst.Compiler(source.encode(), font_paths=fonts(), sys_inputs={"svg": drawable_only(svg)})
    drawn = compiler.compile(format="png", ppi=220)
    assert isinstance(drawn, bytes)  # One page: the page is as high as the drawing.
    return drawn


def layout(document: b.Document, template: Path, logo: tuple[str, bytes] | None = None) -> bytes:
    """`document` set in the Word file `template`. `logo`: (what it shows, bytes of a PNG, JPEG or SVG file).

    Raises UsageError when a template of the user's own cannot be filled.
    """
    from docx.opc.exceptions import PackageNotFoundError
    from docx.shared import Mm
    from docxtpl import DocxTemplate, InlineImage
    from jinja2 import TemplateError
    from lxml import etree  # type: ignore[import-untyped]

    from forensics.report.formats import templating

    class Template(DocxTemplate):  # type: ignore[misc]
        def resolve_listing(self, xml: str) -> str:
            # Turns line breaks and tabs of values into markup. Ours have none (`visible`); the search for them is slow.
            return xml

        def fix_tables(self, xml: str) -> Any:
            # The library parses with recovery on: one slip in a template, and text would vanish without a word.
            etree.fromstring(xml)
            tree = super().fix_tables(xml)
            _set_grids(tree)
            return tree

    try:
        word = Template(str(template))

        class Picture(InlineImage):  # type: ignore[misc]
            """An image with its description, and without the file name that would otherwise stand there."""

            def __init__(self, data: bytes, alt: str, width: float) -> None:
                super().__init__(word, io.BytesIO(data), width=Mm(width))
                self._alt = alt

            def _insert_image(self) -> str:
                from xml.sax.saxutils import quoteattr

                # Without distances of its own LibreOffice sets a picture 3 mm in from the text, and cuts its other end.
                xml = str(super()._insert_image())
                xml = xml.replace("<wp:inline ", '<wp:inline distT="0" distB="0" distL="0" distR="0" ', 1)
                return re.sub(
                    r'<wp:docPr (id="\d+") name="[^"]*"',
                    lambda m: f'<wp:docPr {m[1]} name="" descr={quoteattr(self._alt)}',
                    xml,
                )

        context = {
            "title": shown(document.title),
            "kicker": shown(document.kicker),
            "subtitle": shown(document.subtitle),
            "handling": shown(document.handling),
            "head_left": shown(document.head_left),
            "head_right": shown(document.head_right),
            "digest": document.digest,
            "foot_left": shown(document.foot_left),
            "verify": shown(document.verify),
            "page": document.page,
            "of": document.of,
            "logo": Picture(_raster(logo[1]), shown(logo[0]), 30) if logo else None,
            "blocks": _blocks(b.unlisted((*document.first, b.NewPage(), *document.blocks)), Picture),
        }
        word.render(context, templating.environment(), autoescape=True)
    except (
        TemplateError,
        PackageNotFoundError,
        etree.XMLSyntaxError,
        KeyError,
        ValueError,
        zipfile.BadZipFile,
    ) as error:
        raise UsageError(
            f"{template.name} cannot be filled: {error}",
            expected="a Word template that lays out the report's blocks",
            remedy="compare it with the template that Missent ships",
        ) from None
    if document.paper == "us-letter":
        for section in word.docx.sections:
            section.page_width, section.page_height = Mm(215.9), Mm(279.4)
            section.left_margin = section.right_margin = Mm((215.9 - WIDTH_MM) / 2)
    core = word.docx.core_properties
    core.title, core.author, core.language = shown(document.title), shown(document.author), document.language
    out = io.BytesIO()
    word.save(out)
    return normalised(out.getvalue())


_ACTIVE = re.compile(r"vbaProject|activeX|/embeddings/|/customUI", re.I)
_QUIET_FIELDS = frozenset({
    "PAGE", "NUMPAGES", "SECTIONPAGES", "TOC", "REF", "PAGEREF", "STYLEREF", "SEQ", "TITLE", "AUTHOR", "DATE",
    "DOCPROPERTY", "HYPERLINK",
})  # fmt: skip
"""Fields that show what is in the document (ECMA-376 part 1, 17.16.5)."""


def check(package: bytes) -> None:
    """Raises UsageError for a document that runs, fetches or takes in what is not in it: a template may have it so."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)

    def refuse(what: str) -> UsageError:
        return UsageError(
            f"incident.docx of the templates {what}",
            expected="a template without programs, links to other files and fields that take something in",
            remedy="take that out of the template",
        )

    with zipfile.ZipFile(io.BytesIO(package)) as parts:
        for name in parts.namelist():
            if _ACTIVE.search(name):
                raise refuse(f"holds a program or an object: {visible(name)}")
            if name.endswith(".rels"):
                for link in etree.fromstring(parts.read(name), parser):
                    if link.get("TargetMode", "").lower() == "external" and not link.get("Type", "").endswith(
                        "/hyperlink"
                    ):
                        raise refuse(f"loads what is elsewhere: {visible(link.get('Target', ''))[:200]}")
            elif name.endswith(".xml"):
                _check_fields(etree.fromstring(parts.read(name), parser), refuse)


def _check_fields(tree: Any, refuse: Callable[[str], UsageError]) -> None:
    """Complex fields are told in runs of `instrText` between two `fldChar`, simple ones in an attribute."""
    told: list[str] = []
    for element in tree.iter("{*}fldSimple", "{*}instrText", "{*}fldChar", "{*}altChunk", "{*}subDoc"):
        tag = element.tag.rpartition("}")[2]
        if tag in ("altChunk", "subDoc"):
            raise refuse("takes in another document")
        if tag == "instrText":
            told.append(element.text or "")
            continue
        said = (
            "".join(told)
            if tag == "fldChar"
            else next((v for k, v in element.attrib.items() if k.endswith("}instr")), "")
        )
        told = [] if tag == "fldChar" else told
        word = said.split()[0].upper() if said.split() else ""
        if word and word not in _QUIET_FIELDS:
            raise refuse(f"has a field {visible(word)[:40]}")
    if told:
        raise refuse("has a field that does not end")


def _raster(picture: bytes) -> bytes:
    """A picture as Word can hold it."""
    return png(picture, 60) if media_type(picture) == "image/svg+xml" else picture


def _set_grids(tree: Any) -> None:
    """Each table's grid as wide as the cells of its first row: the library spreads columns evenly."""
    w = "{" + tree.nsmap["w"] + "}"
    for table in tree.iter(f"{w}tbl"):
        row = table.find(f"{w}tr")
        widths = [] if row is None else [cell.find(f"{w}tcPr/{w}tcW") for cell in row.findall(f"{w}tc")]
        columns = table.findall(f"{w}tblGrid/{w}gridCol")
        if len(widths) == len(columns) and all(width is not None for width in widths):
            for column, width in zip(columns, widths, strict=True):
                column.set(f"{w}w", width.get(f"{w}w"))


_DATES = re.compile(rb"<dcterms:(created|modified)\b[^>]*>.*?</dcterms:\1>|<cp:lastPrinted>.*?</cp:lastPrinted>", re.S)


def normalised(package: bytes) -> bytes:
    """An Office file with the same bytes for the same parts: fixed order, no times, no save dates."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        names = sorted(source.namelist(), key=lambda name: (name != "[Content_Types].xml", name != "_rels/.rels", name))
        for name in names:
            data = source.read(name)
            if name == "docProps/core.xml":
                data = _DATES.sub(b"", data)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            target.writestr(entry, data)
    return out.getvalue()


def render(facts: f.Facts, context: Context) -> bytes:
    from forensics.report.text.document import compose

    template = context.template("incident.docx")
    made = layout(compose(facts, context), template, context.logo)
    if template.parent == context.folder:
        check(made)
    return made
