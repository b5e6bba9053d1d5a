"""The hostile submissions that the grader is proven against, in four sections: see `fixture.Fixture`."""

from tests.submissions import files, forgery, resources, structure
from tests.submissions.fixture import Fixture, unique

SECTIONS: dict[str, list[Fixture]] = {
    "score forgery in the student's process": forgery.FIXTURES,
    "notebook structure and metadata": structure.FIXTURES,
    "process and resources": resources.FIXTURES,
    "files, network, privacy": files.FIXTURES,
}
ALL = unique([fixture for section in SECTIONS.values() for fixture in section])
