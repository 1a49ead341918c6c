/* SPDX-License-Identifier: Apache-2.0 */
/*
 * html.h — texts of others in a page (WHATWG HTML, 13.1): one function for each place where one may stand.
 *
 * The page goes into a writer, whose maximum bounds it. There is no function for a text within a script, a
 * style, a comment, or an attribute without quotes: none may stand there.
 */
#pragma once

#include "common/base/writer.h"

/* Between tags. What is not UTF-8 becomes U+FFFD; what is not seen, or would turn the direction of what
 * stands around it (utf8.h), is shown as "\u202e". A line's end and a tab stay. */
void html_text(struct writer *w, const char *text);
/* Between double quotes; as above, and a line's end is "&#10;". */
void html_attribute(struct writer *w, const char *text);
/* One segment of a path in a URL that stands between double quotes: all but letters, digits and "-._~" as %XX.
 * One that is "." or ".." can't stand in a path: the writer is bad. */
void html_url(struct writer *w, const char *text);
/* One value of a query there, which can be any. */
void html_query(struct writer *w, const char *text);
