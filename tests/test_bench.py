"""The bench can be run: each subject is there and has the figures that it is listed with."""

from __future__ import annotations

import importlib
import inspect

import pytest

from tests.bench.__main__ import SUBJECTS


@pytest.mark.parametrize("module", SUBJECTS)
def test_a_subject_measures_what_it_is_listed_with(module: str) -> None:
    subject = importlib.import_module(module)
    assert callable(subject.figures)
    source = inspect.getsource(subject)
    assert [name for name in SUBJECTS[module] if f'"{name}"' not in source] == []
