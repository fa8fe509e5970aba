"""Nothing that a model writes becomes a link, an image or markup."""

import random
import re
import time

import pytest

from reports.writers.plain_text import to_plain_text


@pytest.mark.parametrize(
    ("markup", "plain"),
    [
        ("![logo](https://evil.example/x.png)", "logo"),
        ("See [the plan](http://evil.example/a_(b)).", "See the plan."),
        ("[a [nested](http://x.example) one](http://y.example)", "a nested one"),
        ("[![badge](http://x.example/i)](http://y.example)", "badge"),
        ("![x][ref] and [y][ref]\n[ref]: https://evil.example/?q=1", "x and y"),
        ("<https://evil.example/?q=secret> was said", "was said"),
        ("Look at https://evil.example/?q=secret, please", "Look at please"),
        ("Look at www.evil.example/x now", "Look at now"),
        ("Look at evil.example/x?q=secret now", "Look at evil.example now"),
        ("javascript:alert(1) data:text/html,x mailto:a@b.example", ""),
        ("<img src=x onerror=alert(1)>Hi <b>there</b>", "Hi there"),
        ("<script>alert(1)</script>Hi<!-- hidden -->", "Hi"),
        ("&lt;img src=x&gt;Hi &amp;lt;b&amp;gt;you&amp;lt;/b&amp;gt;", "Hi you"),
        ("Profit &amp; loss", "Profit & loss"),
        ("# Title\n\n> quoted\n\n- **bold** and *italic* and `code`", "Title\n\nquoted\n\nbold and italic and code"),
        ("__init__ and _this_", "init and this"),
        ("a\u202eb\u200bc\x00d\ud800e\U000e0041f", "abcdef"),
        ("one\t two   three\r\nfour\n\n\n\nfive", "one two three\nfour\n\nfive"),
    ],
)
def test_markup_becomes_plain_text(markup, plain):
    assert to_plain_text(markup) == plain


@pytest.mark.parametrize(
    "text",
    [
        "Мы обсудили бюджет: 5 * 3 * 2 = 30, и/или 24/7.",
        "Is a < b and c > d? Use max_retries_count, TCP/IP and C#.",
        "Did he say Node.js? Yes (v20.1), [sic].",
        "1. First. 2. Second: note this; 10:30, 3–4 people, $5 & up!",
        "می\u200cخواهم",
    ],
)
def test_what_people_say_stays_as_it_is(text):
    assert to_plain_text(text) == text


def test_no_jumble_of_syntax_leaves_a_link_an_image_or_a_tag():
    random.seed(4)
    pieces = [
        "!", "[", "]", "(", ")", "<", ">", "/", "a", " ", "\n", "://", "http", "https://e.example/x", "&lt;", "&gt;",
        "&amp;", "*", "_", "`", "img src=x", "javascript:", "\u200b", "![", "](", "<!--", "-->", ":", "www.", "#",
    ]  # fmt: skip
    for _ in range(5_000):
        jumble = "".join(random.choices(pieces, k=random.randint(1, 25)))
        plain = to_plain_text(jumble)
        assert not re.search(r"!\[|\]\(|\]\[|<[a-zA-Z/!?]|://", plain), (jumble, plain)


@pytest.mark.parametrize(
    "part",
    [
        "[x](",
        "![",
        "<a ",
        "**a ",
        "*a",
        "_a ",
        "- ",
        "[",
        "](",
        "<!--",
        "<script",
        "a.b",
        "&lt;",
        "x://",
        "`",
        " ",
        "\n",
    ],
)
def test_hostile_repetition_takes_no_time(part):
    began = time.process_time()
    to_plain_text(part * (12_000 // len(part)))
    assert time.process_time() - began < 2.0
