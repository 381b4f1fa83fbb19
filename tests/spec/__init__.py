"""The numbered execution spec: what the desk needs of a venue, asked of each venue in the same words.

case.py: what a case is; cases/: all of them; stands.py: where they are put to each venue; bench.py: a venue
of the lab with the desk's gateway before it; table.py: the page docs/venues.md.
"""

import pytest

pytest.register_assert_rewrite("tests.spec.bench", "tests.spec.cases", "tests.spec.compare")
