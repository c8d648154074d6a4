"""Makes `templates/en-GB/incident.docx`, the Word template that `docx.py` fills.

Run `python -m forensics.report.docx_template` after a change here; a test holds the committed file to this script.
Every look is a style, so that a report can be restyled in Word, and a template of one's own is made by editing
the file in Word: the lines in `{%p … %}` say which block each paragraph sets.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from forensics.report.docx import normalised
from forensics.report.wording import DEFAULT_LANGUAGE, TEMPLATES

SERIF, MONO = "Georgia", "Consolas"
INK, SOFT, ACCENT, WARNING, HAIR = "1B1B1B", "5B5F66", "1F3A5F", "A3201D", "C9CCD1"
WIDTH = 156
"""Millimetres between the margins: docx.py spreads the columns of a table over them."""


def build() -> bytes:
    """The template's bytes, always the same."""
    import docx

    document = docx.Document()
    _strip(document)
    _page(document)
    _styles(document)
    _head_and_foot(document)
    _body(document)
    out = io.BytesIO()
    document.save(out)
    return normalised(out.getvalue())


def _strip(document: Any) -> None:
    """Nothing of the library's own sample document stays: no thumbnail, no author, no dates."""
    package = document.part.package
    for rel_id, rel in list(package.rels.items()):
        if rel.reltype.endswith("/thumbnail"):
            del package.rels[rel_id]
    body = document.element.body
    for child in list(body):
        if not child.tag.endswith("}sectPr"):
            body.remove(child)
    core = document.core_properties
    for name in ("author", "comments", "keywords", "last_modified_by", "title", "subject", "category"):
        setattr(core, name, "")


def _page(document: Any) -> None:
    from docx.shared import Mm

    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(27)
    section.top_margin, section.bottom_margin = Mm(30), Mm(27)
    section.header_distance, section.footer_distance = Mm(13), Mm(12)


def _font(style: Any, *, name: str = SERIF, size: float | None = None, colour: str | None = None, **more: Any) -> None:
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    style.font.name = name
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for kind in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(kind), name)
    for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
        if fonts.get(qn(theme)) is not None:
            del fonts.attrib[qn(theme)]
    if size is not None:
        style.font.size = Pt(size)
    if colour is not None:
        style.font.color.rgb = RGBColor.from_string(colour)
    for key, value in more.items():
        setattr(style.font, key, value)


def _space(style: Any, before: float = 0, after: float = 0, line: float | None = None, *, keep: bool = False) -> None:
    from docx.shared import Pt

    paragraph = style.paragraph_format
    paragraph.space_before, paragraph.space_after = Pt(before), Pt(after)
    if line is not None:
        paragraph.line_spacing = line
    paragraph.keep_with_next = keep


def _styles(document: Any) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm

    styles = document.styles

    def style(name: str, kind: Any = WD_STYLE_TYPE.PARAGRAPH, base: str | None = "Normal") -> Any:
        try:
            found = styles[name]
        except KeyError:
            found = styles.add_style(name, kind)
        if base is not None and kind is WD_STYLE_TYPE.PARAGRAPH and name != base:
            found.base_style = styles[base]
        found.hidden, found.quick_style = False, True
        return found

    normal = style("Normal", base=None)
    _font(normal, size=10.5, colour=INK)
    _space(normal, 0, 7, 1.25)
    normal.paragraph_format.widow_control = True
    _language(normal)

    _font(style("Title"), size=23, colour=ACCENT, bold=True)
    _space(style("Title"), 2, 4, 1.05, keep=True)
    _without_border(style("Title"))
    _font(style("Subtitle"), size=10, colour=SOFT, italic=False, bold=False)
    _space(style("Subtitle"), 0, 16)
    _font(style("Kicker"), size=9, colour=SOFT, all_caps=True)
    _space(style("Kicker"), 0, 0, keep=True)
    for level, size, before, after in ((1, 15, 24, 8), (2, 12.5, 18, 6), (3, 10.5, 14, 4)):
        heading = style(f"Heading {level}")
        _font(heading, size=size, colour=ACCENT, bold=True, italic=False)
        _space(heading, before, after, 1.1, keep=True)
    _font(style("Lead"), size=12.5, colour=INK)
    _space(style("Lead"), 0, 10, 1.3)
    _font(style("Note"), size=9, colour=SOFT)
    _space(style("Note"), 0, 7, 1.2)
    _font(style("Under Heading"), size=9, colour=SOFT)
    _space(style("Under Heading"), 0, 4, 1.2, keep=True)
    _space(style("List Bullet"), 0, 4, 1.2)
    _font(style("Caption"), size=9, colour=SOFT, bold=False, italic=False)
    _space(style("Caption"), 8, 4, 1.15, keep=True)
    _space(style("Chart"), 0, 12)
    for name, size in (("Table Text", 9), ("Annex Text", 7.5)):
        _font(style(name), size=size, colour=INK)
        _space(style(name), 2, 2, 1.1)
    for name, base in (("Table Number", "Table Text"), ("Annex Number", "Annex Text")):
        number = style(name, base=base)
        number.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for name, base in (("Table Head", "Table Text"), ("Annex Head", "Annex Text")):
        _font(style(name, base=base), bold=True, colour=INK)
        style(name, base=base).paragraph_format.keep_with_next = True
    for name, base in (("Table Head Number", "Table Head"), ("Annex Head Number", "Annex Head")):
        style(name, base=base).paragraph_format.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _font(style("Term", base="Table Text"), colour=SOFT)
    # Word joins two tables that touch; and a table needs air below it.
    _font(style("After Table"), size=4)
    _space(style("After Table"), 0, 4, 1.0)
    _font(style("New Page"), size=1)
    _space(style("New Page"), 0, 0, 1.0, keep=True)
    style("New Page").paragraph_format.page_break_before = True
    figure = style("Figure")
    _font(figure, size=19, colour=INK, bold=True)
    _space(figure, 4, 0, 1.0, keep=True)
    exposed = style("Figure Exposed", base="Figure")
    _font(exposed, size=19, colour=WARNING, bold=True)
    _font(style("Figure Label"), size=8.5, colour=SOFT)
    _space(style("Figure Label"), 0, 4, 1.1)
    slip = style("Slip")
    _font(slip, name=MONO, size=12, colour=INK)
    _space(slip, 8, 0, 1.1, keep=True)
    slip.paragraph_format.left_indent = Mm(5)
    label = style("Slip Label")
    _font(label, size=8.5, colour=SOFT)
    _space(label, 0, 10, 1.1)
    label.paragraph_format.left_indent = Mm(5)
    _font(style("Header"), size=8, colour=SOFT)
    _space(style("Header"), 0, 2, 1.0)
    _font(style("Footer"), size=8, colour=SOFT)
    _space(style("Footer"), 2, 0, 1.0)
    handling = style("Handling", base="Header")
    _font(handling, size=8.5, colour=INK, bold=True, all_caps=True)
    handling.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER

    character = WD_STYLE_TYPE.CHARACTER
    _font(style("Evidence", character), name=MONO)
    style("Evidence", character).font.no_proof = True
    _font(style("Strong", character), bold=True)
    _font(style("Emphasis", character), italic=True)
    _font(style("Exposed", character), bold=True, colour=WARNING)
    _font(style("Not Answered", character), bold=True, colour=SOFT)
    _font(style("Soft", character), colour=SOFT)
    _font(style("Slip Mark", character), name=MONO, bold=True, colour=ACCENT, underline=True)


def _language(style: Any) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    properties = style.element.get_or_add_rPr()
    language = properties.find(qn("w:lang"))
    if language is None:
        language = OxmlElement("w:lang")
        properties.append(language)
    language.set(qn("w:val"), DEFAULT_LANGUAGE)


def _without_border(style: Any) -> None:
    from docx.oxml.ns import qn

    properties = style.element.get_or_add_pPr()
    for border in properties.findall(qn("w:pBdr")):
        properties.remove(border)


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
    style.paragraph_format.tab_stops.add_tab_stop(Mm(WIDTH), WD_TAB_ALIGNMENT.RIGHT)


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


_RUN_STYLES = (
    ("strong", "Strong"),
    ("em", "Emphasis"),
    ("code", "Evidence"),
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


def _plain_table(document: Any, rows: int, columns: int, style: str) -> Any:
    table = document.add_table(rows=rows, cols=columns)
    table.style = _table_style(document, style)
    return table


def _table_style(document: Any, name: str) -> Any:
    """Rules instead of boxes: a strong line above and below the heading, hairlines between rows."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml import parse_xml
    from docx.oxml.ns import nsdecls

    try:
        return document.styles[name]
    except KeyError:
        style = document.styles.add_style(name, WD_STYLE_TYPE.TABLE)
    head = name == "Missent Ruled"
    edge = '<w:{0} w:val="single" w:sz="{1}" w:space="0" w:color="{2}"/>'
    style.element.append(
        parse_xml(
            f"<w:tblPr {nsdecls('w')}><w:tblBorders>"
            + (edge.format("top", 8, INK) if name != "Missent Figures" else edge.format("top", 12, ACCENT))
            + ("" if name == "Missent Figures" else edge.format("bottom", 4, HAIR) + edge.format("insideH", 4, HAIR))
            + '</w:tblBorders><w:tblCellMar><w:left w:w="57" w:type="dxa"/><w:right w:w="57" w:type="dxa"/>'
            "</w:tblCellMar></w:tblPr>"
        )
    )
    if head:
        style.element.append(
            parse_xml(
                f'<w:tblStylePr {nsdecls("w")} w:type="firstRow"><w:tcPr><w:tcBorders>'
                + edge.format("bottom", 6, INK)
                + "</w:tcBorders></w:tcPr></w:tblStylePr>"
            )
        )
    return style


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


def _terms(document: Any) -> None:
    from docx.shared import Mm

    table = _plain_table(document, 3, 2, "Missent Terms")
    table.autofit = False
    for row in table.rows:
        row.cells[0].width, row.cells[1].width = Mm(48), Mm(WIDTH - 48)
    table.columns[0].width, table.columns[1].width = Mm(48), Mm(WIDTH - 48)
    _cell(table.cell(0, 0), "{%tr for term in b.lines %}", "Term")
    _cell(table.cell(1, 0), "{{ term.name }}", "Term")
    _runs(_cell(table.cell(1, 1), "", "Table Text"), "term.spans")
    _row_flags(table.rows[1], "cantSplit")
    _cell(table.cell(2, 0), "{%tr endfor %}", "Term")
    document.add_paragraph(style="After Table")


def _figures(document: Any) -> None:
    table = _plain_table(document, 1, 3, "Missent Figures")
    _cell(table.cell(0, 0), "{%tc for figure in b.lines %}", "Figure")
    cell = table.cell(0, 1)
    _cell(cell, "{%p if figure.exposed %}", "Figure")
    _add(cell, "{{ figure.value }}", "Figure Exposed")
    _add(cell, "{%p else %}", "Figure")
    _add(cell, "{{ figure.value }}", "Figure")
    _add(cell, "{%p endif %}", "Figure")
    _add(cell, "{{ figure.label }}", "Figure Label")
    _cell(table.cell(0, 2), "{%tc endfor %}", "Figure")
    _widths(table.rows[0], "figure.w")
    document.add_paragraph(style="After Table")


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
    document.add_paragraph(style="After Table")


def main() -> None:
    Path(TEMPLATES / DEFAULT_LANGUAGE / "incident.docx").write_bytes(build())


if __name__ == "__main__":
    main()
