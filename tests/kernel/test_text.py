"""Sentences with gaps."""

from booking.kernel.text import N_


def test_gaps_are_filled():
    assert str(N_("最长 %(hours)s 小时。", hours=4)) == "最长 4 小时。"


def test_a_sentence_inside_a_sentence_is_translated_too():
    english = {"最长 %(length)s。": "At most %(length)s.", "%(hours)s 小时": "%(hours)s h"}
    sentence = N_("最长 %(length)s。", length=N_("%(hours)s 小时", hours=4))

    assert sentence.render(english.__getitem__) == "At most 4 h."


def test_a_sentence_without_gaps_may_hold_a_percent_sign():
    assert str(N_("收 50%。")) == "收 50%。"
