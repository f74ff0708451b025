"""Where a request comes from: what stands in a header is believed of the clinic's own proxies alone."""

import pytest

from caseload.request.asgi import Headers
from caseload.request.source import source_of
from caseload.settings import Settings, SettingsError, load

OURS = "10.0.0.7, 192.168.0.0/16, 2001:db8:1::/48"
FORGED = "6.6.6.6"


def seen(peer: str | None, *headers: str, proxies: str = OURS, header: str = "x-forwarded-for") -> str:
    """Who the caller is, when `peer` connects and says this."""
    settings = load({"CASELOAD_TRUSTED_PROXIES": proxies, "CASELOAD_PROXY_HEADER": header})
    said: Headers = [
        (name.encode(), value.encode("latin-1")) for name, value in (each.split(": ", 1) for each in headers)
    ]
    return source_of({"client": None if peer is None else (peer, 4711), "headers": said}, settings)


def test_unless_it_is_said_otherwise_nobody_is_believed() -> None:
    told = {"client": ("10.0.0.7", 1), "headers": [(b"x-forwarded-for", FORGED.encode())]}
    assert source_of(told, Settings()) == "10.0.0.7"


def test_a_proxy_of_ours_says_whom_it_was_called_by() -> None:
    assert seen("10.0.0.7", "X-Forwarded-For: 192.0.2.60") == "192.0.2.60"
    assert seen("192.168.3.4", "x-forwarded-for: 192.0.2.60") == "192.0.2.60"


def test_a_stranger_is_not_believed() -> None:
    assert seen("192.0.2.60", f"x-forwarded-for: {FORGED}") == "192.0.2.60"


@pytest.mark.parametrize(
    "headers",
    [
        [f"x-forwarded-for: {FORGED}, 192.0.2.60"],
        [f"x-forwarded-for: {FORGED}", "x-forwarded-for: 192.0.2.60"],
        [f"x-forwarded-for: 192.168.9.9, {FORGED}, 192.0.2.60, 192.168.1.1"],
        [f'x-forwarded-for: "{FORGED}, 192.0.2.60'],
        [f"forwarded: for={FORGED}", "x-forwarded-for: 192.0.2.60"],
        [f"x-real-ip: {FORGED}", "x-forwarded-for: 192.0.2.60"],
    ],
)
def test_what_the_caller_wrote_before_our_proxies_is_not_reached(headers: list[str]) -> None:
    assert seen("10.0.0.7", *headers) == "192.0.2.60"


@pytest.mark.parametrize("said", ["unknown", "_hidden", "", ",", "192.0.2.60,", "x" * 5000, "1.2.3", "\xff"])
def test_a_proxy_that_names_no_address_is_taken_for_the_caller(said: str) -> None:
    assert seen("10.0.0.7", f"x-forwarded-for: {said}") == "10.0.0.7"


def test_a_proxy_behind_a_proxy_that_names_no_address_is_taken_for_the_caller() -> None:
    assert seen("10.0.0.7", f"x-forwarded-for: {FORGED}, unknown, 192.168.1.1") == "192.168.1.1"


def test_a_proxy_that_says_nothing_is_taken_for_the_caller() -> None:
    assert seen("10.0.0.7") == "10.0.0.7"
    assert seen("10.0.0.7", "x-forwarded-for: 192.168.5.5") == "192.168.5.5"


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        ("192.0.2.60:4711", "192.0.2.60"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("::ffff:192.0.2.60", "192.0.2.60"),
    ],
)
def test_an_address_counts_the_same_however_it_is_written(hop: str, address: str) -> None:
    assert seen("::ffff:10.0.0.7", f"x-forwarded-for: {hop}") == address


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("for=192.0.2.60;proto=https;by=203.0.113.43", "192.0.2.60"),
        ('For="[2001:db8::7]:4711"', "2001:db8::7"),
        (f"for={FORGED}, for=192.0.2.60", "192.0.2.60"),
        (f'for="{FORGED}, for=192.0.2.60', "192.0.2.60"),
        (f'for=192.0.2.60;host="a, for={FORGED}"', "10.0.0.7"),
        (f'for="192.0.2.60;for={FORGED}"', "10.0.0.7"),
        ("for=unknown", "10.0.0.7"),
        ("proto=https", "10.0.0.7"),
        ("", "10.0.0.7"),
    ],
)
def test_the_standard_header_is_read_where_the_proxies_write_it(said: str, address: str) -> None:
    headers = [f"forwarded: {said}", f"x-forwarded-for: {FORGED}"]
    assert seen("10.0.0.7", *headers, header="forwarded") == address


def test_a_proxy_on_a_socket_of_this_machine_has_no_address() -> None:
    assert seen(None, "x-forwarded-for: 192.0.2.60", proxies="socket") == "192.0.2.60"
    assert seen(None, f"x-forwarded-for: {FORGED}") == ""
    assert seen("192.0.2.60", f"x-forwarded-for: {FORGED}", proxies="socket") == "192.0.2.60"


@pytest.mark.parametrize("proxies", ["10.0.0.7/8", "proxy.local", "300.1.1.1", "10.0.0.7;10.0.0.8"])
def test_a_proxy_that_is_no_address_is_refused_in_one_line(proxies: str) -> None:
    with pytest.raises(SettingsError, match=r"^CASELOAD_TRUSTED_PROXIES cannot be used: [^\n]+\.$"):
        load({"CASELOAD_TRUSTED_PROXIES": proxies})
