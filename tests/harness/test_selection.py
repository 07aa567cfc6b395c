from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import selection
from harness.cases import catalogue
from harness.errors import UsageError
from harness.limits.catalogue import probes
from harness.results import case_order
from harness.selection import ALONE, BULK_SECTIONS, resolve, section, shares, weights

AUTOBAHNS = list(weights())
ALL = list(catalogue())
OURS = ALL[517:]


def test_there_are_the_517_cases_of_autobahn_25_10_1():
    by_section = Counter(section(case) for case in AUTOBAHNS)
    assert by_section == {
        "1": 16, "2": 11, "3": 7, "4": 10, "5": 20, "6": 145, "7": 37, "9": 54, "10": 1, "12": 90, "13": 126,
    }  # fmt: skip
    assert len(AUTOBAHNS) == 517
    assert ALL[:517] == AUTOBAHNS
    assert {section(case) for case in OURS} == {"D", "F", "H"}


def test_star_asks_for_all_in_order_and_the_probes_after_them():
    assert resolve(["*"]) == [*ALL, *probes()]
    assert resolve(["*"], suite="conformance") == ALL
    assert resolve(["*"], suite="limits") == list(probes())


def test_exclusion_takes_away():
    without = ["12.*", "13.*", "D.*", "F.*", "H.*", "L.*"]
    assert len(resolve(["*"], without)) == 301
    assert len(resolve(["*"], without, "conformance")) == 301


def test_of_autobahns_there_are_those_alone_that_the_testsuite_has():
    assert resolve(["*"], of_autobahn=True) == [*AUTOBAHNS, *probes()]
    assert resolve(["*"], suite="conformance", of_autobahn=True) == AUTOBAHNS
    assert resolve(["H.*", "1.1.1", "L.1.1", "D.1.2"], of_autobahn=True) == ["1.1.1", "L.1.1"]


@pytest.mark.parametrize("pattern", ["H.*", "F.1.1", "D.2.*"])
def test_where_autobahn_has_none_of_what_is_asked_for_it_is_an_error_that_names_one(pattern: str):
    first = resolve([pattern])[0]
    with pytest.raises(UsageError, match=rf"the Autobahn Testsuite has no {first}, nor another"):
        resolve([pattern], of_autobahn=True)
    with pytest.raises(UsageError, match="no case is left"):
        resolve([pattern], [pattern], of_autobahn=True)


def test_patterns_that_fit_nothing_of_autobahns_are_told():
    assert selection.not_autobahns(["*", "1.*", "H.*", "F.1.1", "L.*", "D.1.*", "99"]) == ["H.*", "F.1.1", "D.1.*"]


def test_a_pattern_of_the_other_suite_is_told_so():
    with pytest.raises(UsageError, match=r"no case of the suite conformance fits 'L\.1\.1'"):
        resolve(["L.1.1"], suite="conformance")


def test_the_same_case_asked_for_twice_is_run_once():
    assert resolve(["7.1.5", "7.1.*", "7.1.5"]) == ["7.1.1", "7.1.2", "7.1.3", "7.1.4", "7.1.5", "7.1.6"]


@pytest.mark.parametrize(
    ("pattern", "hint"), [("99.*", "no case fits '99.*'"), ("6.4", "did you mean 6.4.*"), ("7.1.55", "7.1.5")]
)
def test_a_pattern_that_fits_nothing_is_an_error_with_a_hint(pattern: str, hint: str):
    with pytest.raises(UsageError) as caught:
        resolve([pattern])
    assert hint in caught.value.message


def test_excluding_everything_is_an_error():
    with pytest.raises(UsageError, match="no case is left"):
        resolve(["1.*"], ["1.*"])


@given(st.lists(st.sampled_from(AUTOBAHNS), min_size=1, unique=True), st.integers(1, 8), st.booleans())
def test_shares_hold_each_case_once_and_never_mix_bulk_with_the_rest(cases: list[str], jobs: int, deflates: bool):
    phases = shares(cases, jobs, deflates=deflates)
    assert sorted(case for phase in phases for share in phase for case in share) == sorted(cases)
    for phase in phases:
        assert len({section(case) in BULK_SECTIONS for share in phase for case in share}) == 1
        assert all(share for share in phase)


def test_what_hangs_on_when_the_peer_reads_runs_first_and_beside_nothing():
    first, *rest = shares(AUTOBAHNS, 4, deflates=True)
    assert first == [["3.4", "4.1.5", "4.2.5"]]
    assert not ALONE & {case for phase in rest for share in phase for case in share}


def test_the_cases_that_wait_are_spread_over_the_shares():
    quiet = shares(resolve(["6.*"]), 4, deflates=True)[0]
    assert [sum(case.startswith("6.4.") for case in share) for share in quiet] == [1, 1, 1, 1]


def test_long_work_is_cut_into_shares_so_that_little_is_lost_with_one():
    bulk = shares(resolve(["13.*"]), 2, deflates=True)[0]
    assert max(sum(weights()[case] for case in share) for share in bulk) < 60_000


def test_a_case_of_ours_weighs_little_and_the_more_the_more_it_moves():
    assert {selection.weight(case, deflates=True) for case in OURS} == {20, 500}
    assert selection.weight("F.2.12", deflates=True) == 500


def test_what_moves_much_data_is_bulk_and_needs_compression_where_that_is_what_it_is_about():
    bulk = {case for case in ALL if selection.is_bulk(case, deflates=True)}
    assert {case for case in bulk if case in AUTOBAHNS} == {*resolve(["9.*", "12.*", "13.*"])}
    assert {section(case) for case in bulk if case in OURS} == {"D", "F"}
    light = {case for case in ALL if selection.is_bulk(case, deflates=False)}
    assert bulk - light == {*resolve(["12.*", "13.*"]), "D.2.21"}
    assert not any(selection.is_bulk(case, deflates=True) for case in probes())


def test_without_compression_section_d_is_light():
    assert {selection.weight(case, deflates=False) for case in resolve(["D.*"])} == {1}


def test_without_compression_sections_12_and_13_are_light():
    assert len(shares(resolve(["12.*", "13.*"]), 2, deflates=False)[0]) == 2


@pytest.mark.parametrize("count", [2, 4, 7])
def test_shards_are_all_of_the_cases_once_and_of_about_the_same_weight(count: int):
    cases = selection.known()
    parts = [selection.shard(cases, f"{number}/{count}", deflates=True) for number in range(1, count + 1)]
    assert sorted(case for part in parts for case in part) == sorted(cases)
    loads = [sum(selection.weight(case, deflates=True) for case in part) for part in parts]
    heaviest = max(selection.weight(case, deflates=True) for case in cases)
    assert max(loads) - min(loads) <= heaviest
    assert max(loads) < 1.1 * min(loads)


def test_a_shard_is_the_same_on_every_machine_and_in_order():
    cases = selection.resolve(["6.*", "9.*"])
    one, other = (selection.shard(order, "2/3", deflates=False) for order in (cases, cases))
    assert one == other == sorted(one, key=case_order)


@pytest.mark.parametrize("part", ["0/4", "5/4", "4", "2/", "a/b", "-1/4", "1/0", "1/4/2", ""])
def test_what_is_no_shard_is_refused(part: str):
    with pytest.raises(UsageError, match="is no shard"):
        selection.shard(selection.known(), part, deflates=True)


def test_more_shards_than_cases_are_refused():
    with pytest.raises(UsageError, match="2 cases cannot be divided into 3 shards"):
        selection.shard(["1.1.1", "1.1.2"], "1/3", deflates=True)


def test_every_probe_has_a_weight_that_was_measured():
    assert list(selection._probe_weights()) == list(selection.known("limits"))
