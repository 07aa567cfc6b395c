"""`wsconform cases`: what there is to test, as text and as JSON."""

import json

from tests.support import Command


def test_a_case_is_listed_with_its_title(wsconform: Command):
    assert wsconform("cases", "list", "7.3.1").stdout == "7.3.1    A close frame without a payload\n"


def test_the_list_as_json_has_what_a_script_needs(wsconform: Command):
    (row,) = json.loads(wsconform("cases", "list", "5.18", "--json").stdout)
    assert row == {
        "id": "5.18",
        "title": "A text message whose second fragment has the opcode of text too",
        "expects": "The peer fails the connection with 1002.",
        "clauses": ["RFC 6455 5.4", "RFC 6455 5.5"],
    }


def test_a_case_is_shown_to_the_octet(wsconform: Command):
    shown = wsconform("cases", "show", "3.7").stdout.splitlines()
    assert shown == [
        "3.7  A close frame with RSV = 7",
        "expects  The peer fails the connection with 1002.",
        "clauses  RFC 6455 5.2",
        "does",
        "    -> close FIN RSV=7 masked, 0 octets",
        "        f8 80 63 64 1f a2",
        "    will fail the connection if it is still there in 1 s",
        "accepts  OK: nothing comes",
        "closing  the peer begins it (or drops TCP); the peer's code is 1002 or none",
    ]


def test_what_is_long_is_cut_unless_all_is_asked_for(wsconform: Command):
    cut, whole = wsconform("cases", "show", "1.1.7"), wsconform("cases", "show", "1.1.7", "--all-octets")
    assert "        … and 65294 octets more (--all-octets)" in cut.stdout.splitlines()
    assert len(whole.stdout) > 3 * 65536


def test_an_exchange_is_shown_with_its_offer_its_first_message_and_where_it_is_stricter(wsconform: Command):
    deflate = wsconform("cases", "show", "13.3.1").stdout
    offer = "permessage-deflate; client_no_context_takeover; client_max_window_bits; server_max_window_bits=9"
    assert f"offers   {offer}\nsends    1,000 message(s); the first one:" in deflate
    assert "stricter Autobahn looks at the length" in wsconform("cases", "show", "9.1.1").stdout


def test_the_json_of_a_case_has_all_octets(wsconform: Command):
    (case,) = json.loads(wsconform("cases", "show", "7.9.1", "--json").stdout)
    assert (case["closeCodes"], case["closedByEngine"], case["accepted"]) == ([1002], True, {"OK": []})
    assert bytes.fromhex(case["steps"][0]["octets"])[:2] == b"\x88\x82"


def test_a_case_that_there_is_not_is_one_line_with_a_suggestion(wsconform: Command):
    done = wsconform("cases", "show", "6.41.1")
    assert (done.returncode, done.stderr.count("\n"), "did you mean 6.4.1" in done.stderr) == (2, 1, True)


def test_cases_show_wants_a_case(wsconform: Command):
    assert wsconform("cases", "show").returncode == 2


def test_a_case_that_talks_is_shown_in_words_and_says_where_its_octets_are_to_be_seen(wsconform: Command):
    assert wsconform("cases", "show", "H.2.1").stdout.splitlines() == [
        "H.2.1  No Host.",
        "expects  It is refused with a status of 400 or more.",
        "clauses  RFC 6455 4.2.1, RFC 9112 3.2",
        "octets   wsconform run refimpl --cases H.2.1 --verbose shows them",
    ]


def test_the_json_of_a_case_that_talks_says_nothing_of_what_it_has_not(wsconform: Command):
    (case,) = json.loads(wsconform("cases", "show", "F.1.1", "--json").stdout)
    assert (case["id"], case["steps"], case["accepted"], case["closeCodes"]) == ("F.1.1", [], {}, None)
    assert {case[key] for key in ("closedByEngine", "requireClean", "offer", "messages")} == {None}
