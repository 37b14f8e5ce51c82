import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudchamber.models.remote.hushing import Hush

KEY = "sk-proj-4fT9/x+secret=="
hush = Hush(KEY)

ENCODED = {
    "plain": KEY,
    "percent": quote(KEY, safe=""),
    "every letter percent": "".join(f"%{ord(letter):02x}" for letter in KEY),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64 of the header": base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    "base64 of a user": base64.b64encode(f"u:{KEY}".encode()).decode(),
    "urlsafe": base64.urlsafe_b64encode(f"x:{KEY}".encode()).decode(),
    "hexadecimal": KEY.encode().hex(),
    "odd hexadecimal": "0" + KEY.encode().hex(),
    "escaped": "".join(f"\\u{ord(letter):04x}" for letter in KEY),
    "escaped twice": "".join(f"\\\\u{ord(letter):04x}" for letter in KEY),
    "by bytes": "".join(f"\\x{ord(letter):02x}" for letter in KEY),
    "as PHP writes it": KEY.replace("/", "\\/"),
    "percent twice": quote(quote(KEY, safe=""), safe=""),
    "HTML": KEY.replace("/", "&#x2F;").replace("+", "&#43;"),
    "capitals": KEY.upper(),
    "small letters": KEY.lower(),
    "over two lines": f"{KEY[:9]}\n  {KEY[9:]}",
    "parted hexadecimal": KEY.encode().hex(":").upper(),
    "hexadecimal after a name": f"key={KEY.encode().hex()}",
    "base64 over lines": base64.encodebytes(f"{'u' * 40}:{KEY}".encode()).decode(),
}


@pytest.mark.parametrize("form", ENCODED)
def test_no_form_of_the_key_is_told(form: str) -> None:
    told = hush(f'{{"error": "you sent {ENCODED[form]} to us"}}')
    assert ENCODED[form] not in told
    assert KEY not in told
    assert "key" in told


def test_the_rest_of_a_message_stays() -> None:
    assert hush(f"bad key {KEY}!") == "bad key [key]!"
    assert hush("context too long") == "context too long"
    assert Hush("")(KEY) == KEY
    assert KEY not in repr(hush)


def test_a_key_with_quotes_is_found_as_json_has_it() -> None:
    key = 'abc"def\\ghi-jkl'
    assert "ghi" not in Hush(key)(json.dumps({"you sent": key}))


def test_a_word_that_stands_for_no_key_takes_no_other_words() -> None:
    assert Hush("EMPTY")("the basket is empty, em pty") == "the basket is empty, em pty"
    assert Hush("None")("none of these") == "none of these"


@given(
    st.text(st.sampled_from("abcdefXYZ0123456789-_"), min_size=8, max_size=40),
    st.binary(max_size=9),
)
def test_base64_is_seen_through_wherever_the_key_stands(key: str, before: bytes) -> None:
    encoded = base64.b64encode(before + key.encode()).decode()
    assert encoded not in Hush(key)(f"error: {encoded}")
