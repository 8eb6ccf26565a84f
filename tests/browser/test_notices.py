"""Bell, inbox, settings, dead letters and the demo's mails in a real browser."""

import re

from playwright.sync_api import expect
from sqlalchemy import select, update

from booking.accounts import queries as accounts
from booking.kernel.db import db, transaction
from booking.notices.models import Message, Notice
from booking.notices.rules import Kind, MailState
from tests.browser.conftest import NARROWEST, flaws, log_in, scrolls_sideways

TIMES = iter(range(100))


def test_a_link_for_the_password_arrives_in_the_demos_mails(visit, width, work):
    page = visit(width)
    page.goto("/password/forgotten")
    page.get_by_label("邮箱", exact=True).fill("nobody-knows-this")
    page.get_by_role("button", name="发送链接").click()
    expect(page.get_by_role("alert")).to_contain_text("邮箱地址不正确")
    assert flaws(page) == {}

    # Somebody of their own for each round, or they would have to wait.
    login = f"lab{next(TIMES) + 2:02}@demo.example"
    page.get_by_label("邮箱", exact=True).fill(login)
    page.get_by_role("button", name="发送链接").click()
    expect(page.get_by_role("status")).to_contain_text(login)
    assert flaws(page) == {}
    work()
    page.goto("/demo/mail")
    page.get_by_role("link", name="重设您的密码").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("重设您的密码")
    assert flaws(page) == {}

    address = re.search(r"http\S+/invitation\S+", page.locator("pre").inner_text())
    page.goto(address.group())
    expect(page.get_by_label("邀请码")).not_to_have_value("")


def test_the_bell_counts_and_an_entry_is_read_by_keyboard(visit, width):
    page = visit(width)
    log_in(page, "lab@demo.example")
    page.goto("/")
    bell = page.locator("a.bell")
    before = int(bell.locator(".unread").inner_text())

    bell.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox")
    entry = page.locator(".inbox .is-unread a").first
    subject = entry.inner_text()
    entry.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text(subject)
    expect(page.locator("a.bell")).to_have_accessible_name(f"通知，{before - 1} 条未读")
    assert flaws(page) == {}


def test_what_was_mailed_is_shown_as_mail_programs_would_and_can_do_nothing(visit, work, program):
    with program.app_context(), transaction():
        li = accounts.user_by_login("firm@demo.example")
        of_visits = select(Notice.id).where(Notice.kind == Kind.CONFIRMATION)
        mine = (
            select(Message.id)
            .where(Message.user_id == li.id, Message.notice_id.in_(of_visits))
            .limit(1)
        )
        waiting = update(Message).where(Message.id.in_(mine))
        db.session.execute(waiting.values(mail=MailState.WAITING, sent_at=None, attempts=0))
    work()
    page = visit()
    page.goto("/demo/mail")
    page.locator(".inbox a", has_text="已预约：").last.click()
    page.get_by_role("link", name="像邮件程序那样显示").click()

    button = page.get_by_role("link", name="查看预约")
    expect(button).to_be_visible()
    assert button.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(11, 93, 102)"


def test_dead_letters_are_shown_without_flaw_and_sent_again(visit, width, program):
    with program.app_context(), transaction():
        firm = accounts.user_by_login("firm@demo.example")
        mine = select(Message.id).where(Message.user_id == firm.id).order_by(Message.id).limit(1)
        dead = update(Message).where(Message.id.in_(mine))
        db.session.execute(
            dead.values(
                mail=MailState.DEAD, error="550 5.1.1 no such user", attempts=3, sent_at=None
            )
        )
    page = visit(width)
    log_in(page, "admin@demo.example")
    page.goto("/admin/mail")
    expect(page.get_by_text("550 5.1.1 no such user")).to_be_visible()
    assert flaws(page) == {}
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert not scrolls_sideways(page)

    page.get_by_role("button", name="重新投递给 firm@demo.example").click()
    expect(page.get_by_role("status")).to_contain_text("邮件已重新排队")


def test_choices_are_kept_without_script(visit, width):
    page = visit(width, script=False)
    log_in(page, "window@demo.example")
    page.goto("/account/notices")
    box = page.get_by_label("预约前的提醒")
    wanted = not box.is_checked()
    box.set_checked(wanted)
    page.get_by_role("button", name="保存").click()

    expect(page.get_by_role("status")).to_contain_text("已保存。")
    expect(page.get_by_label("预约前的提醒")).to_be_checked(checked=wanted)
