"""dataset_infos.json at the top of the repo says what the builder gives, in every version of datasets."""

from __future__ import annotations

import json

import datasets
import pytest

from sera_swezero.catalog import CONFIGS
from sera_swezero.loading import dataset_infos
from sera_swezero.loading.builder import SeraSweZero
from sera_swezero.request.config_names import config_names, split_name
from sera_swezero.sample import sampled_configs
from tests.support.processes import HERE

FILE = HERE / dataset_infos.NAME

pytestmark = pytest.mark.matrix


def entries():
    return json.loads(FILE.read_text(encoding="utf-8"))


def test_the_file_is_what_the_package_writes():
    assert FILE.read_text(encoding="utf-8") == dataset_infos.text(), "run `make generate`"
    assert list(entries()) == config_names()


def in_sample(name: str) -> bool:
    return split_name(name)[0] in sampled_configs()


@pytest.mark.parametrize("name", [*filter(in_sample, config_names())])
def test_an_entry_reads_back_as_the_builders_own_features_and_licence(name):
    entry = entries()[name]
    if "features" not in entry:
        assert name.endswith(("-openai", "-steps")), "only Json leaves go without"
        return
    info = datasets.DatasetInfo.from_dict(entry)
    built = SeraSweZero(config_name=name, upstream="sample").info
    assert info.features == built.features
    assert list(info.features) == list(built.features)
    assert info.features.arrow_schema == built.features.arrow_schema
    assert (info.license, info.description, info.homepage) == (built.license, built.description, built.homepage)
    # A count would be compared with what comes out, and a narrowed config gives another one.
    assert info.splits is None


def test_upstream_rows_are_those_of_the_config_table():
    for name, entry in entries().items():
        config = CONFIGS[split_name(name)[0]]
        assert sum(entry["upstream"].values()) == config.rows
        assert list(entry["upstream"]) == [origin.repo for origin in config.origins if origin.repo]
        assert "splits" not in entry


def test_datasets_reads_the_whole_file(tmp_path):
    # What load_dataset does with a folder that holds the file.
    from datasets.info import DatasetInfosDict

    (tmp_path / dataset_infos.NAME).write_bytes(FILE.read_bytes())
    read = DatasetInfosDict.from_directory(str(tmp_path))
    assert list(read) == config_names()
    for name, info in read.items():
        assert (info.features is None) == name.endswith(("-openai", "-steps"))


def test_the_paper_of_sera_is_cited() -> None:
    assert "2601.20789" in SeraSweZero(config_name="sera", upstream="sample").info.citation
    assert SeraSweZero(config_name="swe-zero-1k-8k", upstream="sample").info.citation == ""
