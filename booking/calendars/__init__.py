"""Calendars out: public, personal and organisation feeds, each event's text kept ready."""
