from dataclasses import dataclass
@dataclass(frozen=True)
class Chart:
    svg: str
    alt: str
    caption: str
