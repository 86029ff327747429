# Copyright (C) the modelguard authors

"""Framings, read as their specifications say: text/event-stream (WHATWG HTML
9.2), lines of JSON, one document."""

import re

LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|\Z)")

BOM = b"\xef\xbb\xbf"

SSE, LINES, ONE = "sse", "ndjson", "json"


class Frame:
    """One event or line: its document, and what is around that as it came.

    "around" is the lines that are not data, whole, and the lines of data as
    one: the name of the first, "*" and the end of the last; "data" is None if
    there is none."""

    def __init__(self):
        self.around = []
        self.data = None
        self.prefix = b""
        self.at = 0

    def text(self):
        return None if self.data is None else b"\n".join(self.data)

    def document(self):
        """The text of a JSON document, or None."""

        text = self.text()

        if text is None or not text.strip() or text.strip() == b"[DONE]":
            return None

        return text.decode("utf-8")


def lines(body):
    at = 0

    while at < len(body):
        found = LINE.match(body, at)
        at = found.end()
        yield found.group(1), found.group(2)


def events(body):
    """Frames; the last one may lack its blank line."""

    frame, result = Frame(), []

    if body.startswith(BOM):
        frame.around.append(BOM)
        body = body[len(BOM):]

    for line, end in lines(body):
        name, colon, value = line.partition(b":")

        if line == b"":
            frame.around.append(end)
            result.append(frame)
            frame = Frame()

        elif name != b"data":
            frame.around.append(line + end)

        elif frame.data is None:
            space = b" " if value.startswith(b" ") else b""
            frame.data = [value[len(space):]]
            frame.at = len(frame.around)
            frame.prefix = name + colon + space
            frame.around.append(frame.prefix + b"*" + end)

        else:
            frame.data.append(value[1:] if value.startswith(b" ") else value)
            frame.around[frame.at] = frame.prefix + b"*" + end

    if frame.around:
        result.append(frame)

    return result


def split(body, framing):
    if framing == SSE:
        return events(body)

    if framing == LINES:
        parts = re.findall(rb"[^\n]*\n|[^\n]+\Z", body)
    else:
        parts = [body]

    result = []

    for part in parts:
        frame = Frame()
        text = part.rstrip(b"\r\n") if framing == LINES else part
        frame.data = [text]
        frame.around = [b"*" + part[len(text):]]
        result.append(frame)

    return result


def first(body, framing):
    """The length of the first frame that has a document."""

    if framing == LINES:
        return body.index(b"\n") + 1

    for found in re.finditer(rb"(\r\n|\n|\r(?!\n))(\r\n|\n|\r(?!\n))", body):
        if any(frame.document() for frame in events(body[:found.end()])):
            return found.end()

    return len(body)
