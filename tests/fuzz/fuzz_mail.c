/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a mail: an address, a workspace's name, a user's, a link and a server's URL, with zero bytes between. Whatever
 * they are, the message has the header lines that it has to have and no other, and an address that is taken is one for
 * whoever reads it.
 */
#include "computations/mail/mail_address.h"
#include "computations/mail/mail_message.h"
#include "computations/mail/mail_server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <curl/curl.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_address(const char *text)
{
	char box[MAIL_ADDRESS_MAX + 1], again[MAIL_ADDRESS_MAX + 1];
	const char *at = strchr(text, '@');

	assert(strlen(text) <= MAIL_ADDRESS_MAX && at && at > text && !strchr(at + 1, '@'));
	assert(strcspn(text, " \t\r\n<>()[]\\\",;:!%") == strlen(text));
	mail_address_box(text, box);
	mail_address_box(box, again);
	assert(strcmp(box, again) == 0 && strcasecmp(strchr(box, '@'), at) == 0);
}

/* Nine lines, an empty one, and text whose every line ends as it has to. */
static void check_message(const char *text)
{
	static const char *const names[] = { "From: ",         "To: ",         "Subject: ",
					     "Date: ",         "Message-ID: ", "MIME-Version: ",
					     "Content-Type: ", "Content-Tra",  "Auto-Submitted: " };
	const char *line = text;

	assert(strlen(text) <= MAIL_TEXT_MAX);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert(strncmp(line, names[i], strlen(names[i])) == 0);
		line = strstr(line, "\r\n");
		assert(line);
		line += 2;
	}
	assert(strncmp(line, "\r\n", 2) == 0);
	for (line = text; *line; line += 2) {
		size_t len = strcspn(line, "\r\n");

		assert(len <= 998 && line[0] != '.');
		line += len;
		assert(line[0] == '\r' && line[1] == '\n');
	}
}

/* libcurl, which connects, reads the same. */
static void check_server(const char *url, const struct mail_server *s)
{
	char *host = NULL, *port = NULL, *user = NULL;
	CURLU *theirs = curl_url();

	assert(theirs && curl_url_set(theirs, CURLUPART_URL, url, 0) == CURLUE_OK);
	assert(curl_url_get(theirs, CURLUPART_HOST, &host, 0) == CURLUE_OK);
	assert(curl_url_get(theirs, CURLUPART_USER, &user, 0) == CURLUE_NO_USER);
	if (curl_url_get(theirs, CURLUPART_PORT, &port, 0) == CURLUE_OK)
		assert(strtoul(port, NULL, 10) == s->port);
	assert(s->port && *s->host && strlen(host) >= strlen(s->host));
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(theirs);
}

enum { PARTS = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *copy = calloc(1, len + PARTS), *parts[PARTS], *at = copy;
	struct mail_server server = { .port = 0 };
	char text[MAIL_TEXT_MAX + 1];
	bool is_address;
	struct err e;

	assert(copy);
	if (len)
		memcpy(copy, bytes, len);
	for (size_t i = 0; i < PARTS; i++) {
		parts[i] = at;
		at += strlen(at) + (at < copy + len);
	}
	is_address = mail_address_check(parts[0], &e) == 0;
	if (is_address)
		check_address(parts[0]);
	else
		assert(e.code == ERR_INVALID);
	if (mail_message_make(&(struct mail_words){ .from = "cocos@example.org",
						    .to = parts[0],
						    .workspace = parts[1],
						    .inviter = parts[2],
						    .role = "member",
						    .link = parts[3],
						    .id = "0123456789abcdef",
						    .now = (int64_t)len * 1000000000,
						    .ends = 1000 },
			      text, &e) == 0) {
		assert(is_address);
		check_message(text);
	} else {
		assert(e.code == ERR_INVALID);
	}
	if (mail_url_parse(parts[4], &server, &e) == 0)
		check_server(parts[4], &server);
	else
		assert(e.code == ERR_INVALID);
	free(copy);
	return 0;
}
