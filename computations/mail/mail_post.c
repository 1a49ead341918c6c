/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/mail/mail_post.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <openssl/x509_vfy.h>

enum { URL_MAX = MAIL_HOST_MAX + MAIL_ADDRESS_MAX + 32 };

/* As for webhooks (hook_post.c). */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS  "X25519:P-256:P-384:P-521"

struct mail_post {
	CURL *curl;
	const struct mail_server *server;
	const atomic_bool *stopped;
	char problem[CURL_ERROR_SIZE];
	/* Of the try. */
	const char *text;
	size_t at, len, answered;
};

/* ---- what libcurl calls ---- */

static size_t give_text(char *to, size_t size, size_t count, void *data)
{
	struct mail_post *p = data;
	const size_t room = size * count, left = p->len - p->at, len = left < room ? left : room;

	memcpy(to, p->text + p->at, len);
	p->at += len;
	return len;
}

static size_t on_answer(char *bytes, size_t size, size_t count, void *data)
{
	struct mail_post *p = data;

	p->answered += size * count;
	return p->answered > MAIL_ANSWER_MAX ? 0 : size * count;
}

static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total,
		       curl_off_t up_now)
{
	const struct mail_post *p = data;

	return p->stopped && atomic_load(p->stopped);
}

/* ---- a handle ---- */

/* What libcurl would say at each try. */
static int check_ca(const char *ca, struct err *e)
{
	X509_STORE *store = *ca ? X509_STORE_new() : NULL;
	int failed = 0;

	if (*ca && !store)
		return err_nomem(e);
	if (*ca && X509_STORE_load_file(store, ca) != 1)
		failed = err_set(e, ERR_INVALID, "'%s' is not there, or has no certificates", ca);
	X509_STORE_free(store);
	return failed;
}

#define SET(option, value) (rc = rc ? rc : curl_easy_setopt(c, option, value))

static CURLcode set_tls(CURL *c, const struct mail_server *s)
{
	CURLcode rc = CURLE_OK;

	SET(CURLOPT_USE_SSL, (long)(s->is_plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_CIPHER_LIST, CIPHERS);
	SET(CURLOPT_SSL_EC_CURVES, GROUPS);
	SET(CURLOPT_SSL_SESSIONID_CACHE, 0L);
	if (*s->ca) {
		SET(CURLOPT_CAINFO, s->ca);
		SET(CURLOPT_CAPATH, NULL);
	}
	if (*s->user) {
		SET(CURLOPT_USERNAME, s->user);
		SET(CURLOPT_PASSWORD, s->password);
	}
	return rc;
}

/* The path is what it calls itself: the domain that mail is from, and not this machine's name. */
static CURLcode prepare(struct mail_post *p)
{
	const struct mail_server *s = p->server;
	const char *bracket = strchr(s->host, ':') ? "[" : "";
	char url[URL_MAX], from[MAIL_ADDRESS_MAX + 3];
	CURL *c = p->curl;
	CURLcode rc = curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->problem);

	snprintf(url, sizeof(url), "%s://%s%s%s:%u/%s", s->is_smtps ? "smtps" : "smtp", bracket,
		 s->host, *bracket ? "]" : "", s->port, strchr(s->from, '@') + 1);
	snprintf(from, sizeof(from), "<%s>", s->from);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_PROTOCOLS_STR, s->is_smtps ? "smtps" : "smtp");
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_FRESH_CONNECT, 1L);
	SET(CURLOPT_FORBID_REUSE, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)MAIL_CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, (long)MAIL_TRY_MS);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_MAIL_FROM, from);
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_READFUNCTION, give_text);
	SET(CURLOPT_READDATA, p);
	SET(CURLOPT_HEADERFUNCTION, on_answer);
	SET(CURLOPT_HEADERDATA, p);
	SET(CURLOPT_WRITEFUNCTION, on_answer);
	SET(CURLOPT_WRITEDATA, p);
	SET(CURLOPT_XFERINFOFUNCTION, on_progress);
	SET(CURLOPT_XFERINFODATA, p);
	SET(CURLOPT_NOPROGRESS, 0L);
	return rc ? rc : set_tls(c, s);
}

static CURLcode started;

static void start(void)
{
	started = curl_global_init(CURL_GLOBAL_DEFAULT);
}

int mail_post_new(const struct mail_server *server, const atomic_bool *stopped,
		  struct mail_post **made, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	CLEANUP(mail_post_free) struct mail_post *p = calloc(1, sizeof(*p));
	CURLcode rc;

	if (check_ca(server->ca, e) < 0)
		return err_wrap(e, "COMPUTATIONS_SMTP_CA");
	pthread_once(&once, start);
	if (!p || started != CURLE_OK || !(p->curl = curl_easy_init()))
		return err_nomem(e);
	p->server = server;
	p->stopped = stopped;
	rc = prepare(p);
	if (rc != CURLE_OK)
		return err_set(e, ERR_INTERNAL, "libcurl: %s", curl_easy_strerror(rc));
	*made = TAKE_PTR(p);
	return 0;
}

void mail_post_free(struct mail_post *p)
{
	if (!p)
		return;
	curl_easy_cleanup(p->curl);
	free(p);
}

/* ---- one try ---- */

/* What libcurl says is in its own words, with numbers of the server's. */
static void say(struct mail_outcome *o, const char *why)
{
	size_t len = 0;

	for (; *why && len < MAIL_PROBLEM_MAX; why++)
		o->problem[len++] = *why >= ' ' && *why <= '~' ? *why : '?';
	o->problem[len] = 0;
}

/* RFC 5321, 4.2.1: 5yz is for good; but what it says of who sends, and not of the mail, the operator may set right within the
 * day (RFC 4954, 6). */
static bool is_final(CURLcode rc, long code)
{
	if (rc != CURLE_SEND_ERROR && rc != CURLE_WEIRD_SERVER_REPLY && rc != CURLE_RECV_ERROR)
		return false;
	return code >= 500 && code <= 599 && code != 530 && code != 534 && code != 535 &&
	       code != 538;
}

static void judge(const struct mail_post *p, CURLcode rc, struct mail_outcome *o)
{
	char text[MAIL_PROBLEM_MAX + 1];
	long code = 0;

	o->is_taken = rc == CURLE_OK;
	if (o->is_taken)
		return;
	if (curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &code) != CURLE_OK)
		code = 0;
	o->is_final = is_final(rc, code);
	snprintf(text, sizeof(text), "%s%.160s",
		 rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CONNECT_ERROR ? "TLS: "
										       : "",
		 p->problem[0] ? p->problem : curl_easy_strerror(rc));
	if (code >= 400 && code <= 599)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ", status %ld", code);
	say(o, text);
}

void mail_post_try(struct mail_post *p, const struct mail_try *t, struct mail_outcome *o)
{
	char to[MAIL_ADDRESS_MAX + 3];
	struct curl_slist *list;
	CURL *c = p->curl;
	CURLcode rc = CURLE_OK;

	*o = (struct mail_outcome){ .number = t->number, .invitation = t->invitation };
	snprintf(to, sizeof(to), "<%s>", t->address);
	list = curl_slist_append(NULL, to);
	if (!list) {
		say(o, "out of memory");
		return;
	}
	p->text = t->text;
	p->len = strlen(t->text);
	p->at = p->answered = 0;
	p->problem[0] = 0;
	SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)p->len);
	SET(CURLOPT_MAIL_RCPT, list);
	judge(p, rc ? rc : curl_easy_perform(c), o);
	(void)curl_easy_setopt(c, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(list);
	p->text = NULL;
}
#undef SET
