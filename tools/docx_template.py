"""Makes `forensics/report/templates/en-GB/incident.docx`, the Word template that `report/formats/docx.py` fills.

A developer's script, no part of the package. Run `python -m tools.docx_template` at the root of the repository after
a change here; a test holds the file to this script.
A template of one's own is made by editing the file in Word: the lines in `{%p … %}` say which block each paragraph
sets; looks are styles (`docx_styles`).
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from forensics.report.formats.docx import WIDTH_MM, normalised
from forensics.report.text.wording import DEFAULT_LANGUAGE, TEMPLATES
from tools import docx_styles
from tools.docx_styles import HAIR


def build() -> bytes:
    """The template's bytes, always the same."""
    import docx

    document = docx.Document()
    _strip(document)
    docx_styles.page(document)
    docx_styles.styles(document)
    _head_and_foot(document)
    _body(document)
    out = io.BytesIO()
    document.save(out)
    return normalised(out.getvalue())


def _strip(document: Any) -> None:
    """Nothing of the library's own sample document stays: no thumbnail, second styles, author or dates."""
    for relations in (document.part.package.rels, document.part.rels):
        for rel_id, rel in list(relations.items()):
            if rel.reltype.endswith(("/thumbnail", "/stylesWithEffects")):
                del relations[rel_id]
    body = document.element.body
    for child in list(body):
        if not child.tag.endswith("}sectPr"):
            body.remove(child)
    core = document.core_properties
    for name in ("author", "comments", "keywords", "last_modified_by", "title", "subject", "category"):
        setattr(core, name, "")


def _field(paragraph: Any, code: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    run = paragraph.add_run()
    for kind, text in (("begin", None), (None, code), ("separate", None), ("t", "1"), ("end", None)):
        if kind == "t":
            element = OxmlElement("w:t")
            element.text = text
        elif kind is None:
            element = OxmlElement("w:instrText")
            element.set(qn("xml:space"), "preserve")
            element.text = text
        else:
            element = OxmlElement("w:fldChar")
            element.set(qn("w:fldCharType"), kind)
        run._r.append(element)


def _rule(paragraph: Any, side: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    border = OxmlElement("w:pBdr")
    edge = OxmlElement(f"w:{side}")
    for name, value in (("val", "single"), ("sz", "4"), ("space", "4"), ("color", HAIR)):
        edge.set(qn(f"w:{name}"), value)
    border.append(edge)
    paragraph._p.get_or_add_pPr().append(border)


def _tabs(style: Any) -> None:
    from docx.enum.text import WD_TAB_ALIGNMENT
    from docx.shared import Mm

    for stop in list(style.paragraph_format.tab_stops):
        style.paragraph_format.tab_stops.clear_all()
        del stop
        break
    style.paragraph_format.tab_stops.add_tab_stop(Mm(WIDTH_MM), WD_TAB_ALIGNMENT.RIGHT)


def _head_and_foot(document: Any) -> None:
    _tabs(document.styles["Header"])
    _tabs(document.styles["Footer"])
    section = document.sections[0]
    header = section.header
    header.paragraphs[0].style = "Handling"
    header.paragraphs[0].add_run("{{ handling }}")
    line = header.add_paragraph(style="Header")
    line.add_run("{{ head_left }}\t{{ head_right }} ")
    line.add_run("{{ digest }}", style="Evidence")
    _rule(line, "bottom")
    footer = section.footer.paragraphs[0]
    footer.style = "Footer"
    footer.add_run("{{ foot_left }}\t{{ page }} ")
    _field(footer, " PAGE ")
    footer.add_run(" {{ of }} ")
    _field(footer, " NUMPAGES ")
    _rule(footer, "top")
    section.footer.add_paragraph(style="Footer").add_run("{{ verify }}", style="Evidence")
    section.footer.add_paragraph(style="Handling").add_run("{{ handling }}")


_RUN_STYLES = (
    ("strong", "Strong"),
    ("em", "Emphasis"),
    ("code", "Evidence"),
    ("mark", "Slip Mark"),
    ("exposed", "Exposed"),
    ("missing", "Not Answered"),
    ("soft", "Soft"),
)


def _runs(paragraph: Any, spans: str) -> None:
    """Runs that set `spans`, one style a kind."""
    paragraph.add_run("{%r for s in " + spans + " %}")
    for index, (kind, style) in enumerate(_RUN_STYLES):
        paragraph.add_run("{%r " + ("if" if index == 0 else "elif") + f' s.k == "{kind}" %}}')
        paragraph.add_run("{{ s.t }}", style=style)
    paragraph.add_run("{%r else %}")
    paragraph.add_run("{{ s.t }}")
    paragraph.add_run("{%r endif %}")
    paragraph.add_run("{%r endfor %}")


def _body(document: Any) -> None:
    def say(text: str, style: str = "Normal") -> Any:
        paragraph = document.add_paragraph(style=style)
        if text:
            paragraph.add_run(text)
        return paragraph

    say("{%p if logo %}")
    say("{{ logo }}", "Chart")
    say("{%p endif %}")
    say("{{ kicker }}", "Kicker")
    say("{{ title }}", "Title")
    say("{{ subtitle }}", "Subtitle")
    say("{%p for b in blocks %}")
    first = True

    def case(condition: str) -> None:
        nonlocal first
        say("{%p " + ("if " if first else "elif ") + condition + " %}")
        first = False

    for level in (1, 2, 3):
        case(f'b.k == "heading" and b.level == {level}')
        say("{{ b.text }}", f"Heading {level}")
    for kind, style in (("lead", "Lead"), ("note", "Note"), ("under", "Under Heading"), ("body", "Normal")):
        case(f'b.k == "para" and b.style == "{kind}"')
        _runs(say("", style), "b.spans")
    case('b.k == "items"')
    say("{%p for item in b.lines %}")
    _runs(say("", "List Bullet"), "item")
    say("{%p endfor %}")
    case('b.k == "slip"')
    _slip(say)
    case('b.k == "terms"')
    _terms(document)
    case('b.k == "points"')
    _terms(document, 36, "Point", "Point Text", "After Points")
    case('b.k == "figures"')
    _figures(document)
    case('b.k == "table" and not b.small')
    _table(document, "Table")
    case('b.k == "table" and b.small')
    _table(document, "Annex")
    case('b.k == "chart"')
    say("{%p if b.caption %}")
    say("{{ b.caption }}", "Caption")
    say("{%p endif %}")
    say("{{ b.picture }}", "Chart")
    case('b.k == "page"')
    say("", "New Page")
    say("{%p endif %}")
    say("{%p endfor %}")


def _slip(say: Any) -> None:
    line = say("", "Slip")
    for side, arrow in (("meant", True), ("typed", False)):
        line.add_run("{%r for part in b." + side + " %}")
        line.add_run("{%r if part.mark %}")
        line.add_run("{{ part.t }}", style="Slip Mark")
        line.add_run("{%r else %}")
        line.add_run("{{ part.t }}")
        line.add_run("{%r endif %}")
        line.add_run("{%r endfor %}")
        if arrow:
            line.add_run("  →  ", style="Soft")
    say("{{ b.meant_label }} → {{ b.typed_label }}", "Slip Label")


def _after(document: Any, style: str) -> None:
    """The room behind a table; at the end of a full page it would make an empty one before the next."""
    document.add_paragraph("{%p if not b.last %}")
    document.add_paragraph(style=style)
    document.add_paragraph("{%p endif %}")


def _plain_table(document: Any, rows: int, columns: int, style: str) -> Any:
    table = document.add_table(rows=rows, cols=columns)
    table.style = docx_styles.table_style(document, style)
    return table


def _row_flags(row: Any, *flags: str) -> None:
    from docx.oxml import OxmlElement

    properties = row._tr.get_or_add_trPr()
    for flag in flags:
        properties.append(OxmlElement(f"w:{flag}"))


def _cell(cell: Any, text: str, style: str) -> Any:
    paragraph = cell.paragraphs[0]
    paragraph.style = style
    if text:
        paragraph.add_run(text)
    return paragraph


def _add(cell: Any, text: str, style: str) -> Any:
    paragraph = cell.add_paragraph(style=style)
    if text:
        paragraph.add_run(text)
    return paragraph


def _terms(
    document: Any, width: int = 48, term: str = "Term", text: str = "Table Text", after: str = "After Table"
) -> None:
    from docx.shared import Mm

    table = _plain_table(document, 3, 2, "Missent Terms")
    table.autofit = False
    for row in table.rows:
        row.cells[0].width, row.cells[1].width = Mm(width), Mm(WIDTH_MM - width)
    table.columns[0].width, table.columns[1].width = Mm(width), Mm(WIDTH_MM - width)
    _cell(table.cell(0, 0), "{%tr for term in b.lines %}", term)
    _cell(table.cell(1, 0), "{{ term.name }}", term)
    _runs(_cell(table.cell(1, 1), "", text), "term.spans")
    _row_flags(table.rows[1], "cantSplit")
    _cell(table.cell(2, 0), "{%tr endfor %}", term)
    _after(document, after)


_FIGURE_STYLES = (("exposed", "Figure Exposed"), ("day", "Figure Day"), ("missing", "Figure Missing"))


def _figures(document: Any) -> None:
    table = _plain_table(document, 1, 3, "Missent Figures")
    _cell(table.cell(0, 0), "{%tc for figure in b.lines %}", "Figure")
    cell = table.cell(0, 1)
    for index, (kind, style) in enumerate(_FIGURE_STYLES):
        line = "{%p " + ("elif" if index else "if") + f' figure.style == "{kind}" %}}'
        (_add if index else _cell)(cell, line, "Figure")
        _add(cell, "{{ figure.value }}", style)
    _add(cell, "{%p else %}", "Figure")
    _add(cell, "{{ figure.value }}", "Figure")
    _add(cell, "{%p endif %}", "Figure")
    _add(cell, "{{ figure.label }}", "Figure Label")
    _cell(table.cell(0, 2), "{%tc endfor %}", "Figure")
    _widths(table.rows[0], "figure.w")
    _after(document, "After Table")


def _widths(row: Any, expression: str) -> None:
    """Cells as wide as the report says (twentieths of a point)."""
    from docx.oxml.ns import qn

    for cell in row.cells:
        properties = cell._tc.get_or_add_tcPr()
        width = properties.get_or_add_tcW()
        width.set(qn("w:w"), "{{ " + expression + " }}")
        width.set(qn("w:type"), "dxa")


def _table(document: Any, size: str) -> None:
    document.add_paragraph("{%p if b.caption %}")
    document.add_paragraph("{{ b.caption }}", style="Caption")
    document.add_paragraph("{%p endif %}")
    table = _plain_table(document, 4, 3, "Missent Ruled")
    _cell(table.cell(0, 0), "{%tc for c in b.columns %}", f"{size} Head")
    head = table.cell(0, 1)
    _cell(head, "{%p if c.right %}", f"{size} Head")
    _add(head, "{{ c.title }}", f"{size} Head Number")
    _add(head, "{%p else %}", f"{size} Head")
    _add(head, "{{ c.title }}", f"{size} Head")
    _add(head, "{%p endif %}", f"{size} Head")
    _cell(table.cell(0, 2), "{%tc endfor %}", f"{size} Head")
    _row_flags(table.rows[0], "cantSplit", "tblHeader")
    _widths(table.rows[0], "c.w")
    _cell(table.cell(1, 0), "{%tr for row in b.rows %}", f"{size} Text")
    _cell(table.cell(2, 0), "{%tc for cell in row %}", f"{size} Text")
    body = table.cell(2, 1)
    _cell(body, "{%p if cell.right %}", f"{size} Text")
    _runs(_add(body, "", f"{size} Number"), "cell.spans")
    _add(body, "{%p else %}", f"{size} Text")
    _runs(_add(body, "", f"{size} Text"), "cell.spans")
    _add(body, "{%p endif %}", f"{size} Text")
    _cell(table.cell(2, 2), "{%tc endfor %}", f"{size} Text")
    _row_flags(table.rows[2], "cantSplit")
    _widths(table.rows[2], "cell.w")
    _cell(table.cell(3, 0), "{%tr endfor %}", f"{size} Text")
    _after(document, "After Table")


def main() -> None:
    Path(TEMPLATES / DEFAULT_LANGUAGE / "incident.docx").write_bytes(build())


if __name__ == "__main__":
    main()
