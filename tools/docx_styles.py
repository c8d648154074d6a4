"""The styles of the Word template: page, paragraphs, characters, tables.

`docx_template` builds with them. Every look is a style, so that a report can be restyled in Word.
"""

from __future__ import annotations

from typing import Any

from forensics.report.formats.docx import WIDTH_MM
from forensics.report.text.wording import DEFAULT_LANGUAGE

# Every system has Times New Roman or a font of the same widths: page one is one page wherever it is opened.
SERIF, MONO = "Times New Roman", "Consolas"
INK, SOFT, ACCENT, WARNING, HAIR = "1B1B1B", "5B5F66", "1F3A5F", "A3201D", "C9CCD1"


def page(document: Any) -> None:
    from docx.shared import Mm

    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm((210 - WIDTH_MM) // 2)
    section.top_margin, section.bottom_margin = Mm(25), Mm(22)
    section.header_distance, section.footer_distance = Mm(11), Mm(9)


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


def styles(document: Any) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Mm

    known = document.styles

    def style(name: str, kind: Any = WD_STYLE_TYPE.PARAGRAPH, base: str | None = "Normal") -> Any:
        try:
            found = known[name]
        except KeyError:
            found = known.add_style(name, kind)
        if base is not None and kind is WD_STYLE_TYPE.PARAGRAPH and name != base:
            found.base_style = known[base]
        found.hidden, found.quick_style = False, True
        return found

    normal = style("Normal", base=None)
    _font(normal, size=10.5, colour=INK)
    _space(normal, 0, 7, 1.25)
    normal.paragraph_format.widow_control = True
    _language(normal)

    _font(style("Title"), size=22, colour=ACCENT, bold=True)
    _space(style("Title"), 0, 2, 1.0, keep=True)
    _without_border(style("Title"))
    _font(style("Subtitle"), size=10, colour=SOFT, italic=False, bold=False)
    _space(style("Subtitle"), 0, 0)
    _unspaced(style("Subtitle"))
    _unspaced(style("Title"))
    _font(style("Kicker"), size=9, colour=SOFT, all_caps=True)
    _space(style("Kicker"), 0, 0, keep=True)
    for level, size, before, after in ((1, 15, 16, 4), (2, 12.5, 18, 6), (3, 10.5, 14, 4)):
        heading = style(f"Heading {level}")
        _font(heading, size=size, colour=ACCENT, bold=True, italic=False)
        _space(heading, before, after, 1.1, keep=True)
    _font(style("Lead"), size=11.5, colour=INK)
    _space(style("Lead"), 0, 6, 1.15)
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
    for name, colour, bold in (("Point", ACCENT, True), ("Point Text", INK, False)):
        _font(style(name, base="Table Text"), size=8, colour=colour, bold=bold)
        _space(style(name, base="Table Text"), 1.2, 1.2, 1.0)
    _font(style("After Points"), size=1)
    _space(style("After Points"), 0, 0, 1.0)
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
    day = style("Figure Day", base="Figure")
    _font(day, size=12, colour=INK, bold=True)
    _space(day, 11, 0, 1.0, keep=True)
    open_ = style("Figure Missing", base="Figure")
    _font(open_, size=7.5, colour=SOFT, bold=True)
    _space(open_, 16, 1, 1.0, keep=True)
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
    for language in style.element.getparent().iter(qn("w:lang")):  # of the library's own sample: what no style sets
        language.set(qn("w:val"), DEFAULT_LANGUAGE)


def _unspaced(style: Any) -> None:
    """Without the library's letter-spacing."""
    from docx.oxml.ns import qn

    properties = style.element.get_or_add_rPr()
    for spacing in properties.findall(qn("w:spacing")):
        properties.remove(spacing)


def _without_border(style: Any) -> None:
    from docx.oxml.ns import qn

    properties = style.element.get_or_add_pPr()
    for border in properties.findall(qn("w:pBdr")):
        properties.remove(border)


def table_style(document: Any, name: str) -> Any:
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
