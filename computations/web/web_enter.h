/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_enter.h — a password that came with a form, on its way: looked up in the database, compared and computed in
 * its line (password_line.h), kept in the database. For this folder only.
 */
#pragma once

#include "computations/core/password_line.h"
#include "computations/people/device.h"
#include "computations/people/factor.h"
#include "computations/people/half.h"
#include "computations/people/passkey.h"
#include "computations/web/web_form.h"
#include "computations/web/web_trail.h"
#include "computations/web/web_work.h"

struct web_enter;

struct web_enter_way {
	enum web_trail_deed deed; /* as the audit log has it */
	bool takes_code;          /* of a second factor as well, where there is one */
	/* In the pool: whose password it is, and whether the new one may be. */
	int (*look)(struct store *store, struct web_enter *en, struct err *e);
	/* In the pool, once what was given matched and what was chosen is computed. */
	int (*keep)(struct store *store, struct web_enter *en, struct err *e);
	/* On the loop: it is kept. */
	void (*done)(struct web_enter *en);
	/* The form once more, with what was wrong. */
	void (*show)(struct web_enter *en, unsigned status, const struct err *e);
};

struct web_enter {
	struct http_request *r; /* a reference */
	struct web *web;
	const struct web_enter_way *way;
	struct web_form *form;
	struct web_trail trail;
	struct admin_caller caller; /* where there is a session already */
	/* Of its header, which the loop alone may read: the connection may go while the pool works. */
	char about[LOGIN_ABOUT_MAX + 1];
	uint8_t old[SHA256_LEN]; /* the session that was shown, which ends over TLS */
	bool has_old;
	const char *given, *chosen;  /* to be compared, to be kept; NULL: none */
	struct password_owner owner; /* of the one that is given, or of the code */
	bool has_factor;             /* the owner */
	bool has_passkey;            /* the same; of web_device.c */
	bool with_code;              /* of keep(): a second factor was seen, maybe elsewhere */
	enum factor_answer answer;   /* to the code */
	struct password made;
	struct device device; /* of web_device.c */
	char user[PEOPLE_NAME_MAX + 1];
	int64_t person;                  /* who comes in */
	char secret[LOGIN_TEXT_LEN + 1]; /* of the new session, over TLS */
	char half[HALF_TEXT_LEN + 1];    /* of who owes a code: of web_second.c */
	struct passkey *keys;            /* that may be shown instead; the same */
	size_t key_count;
	uint8_t totp[TOTP_SECRET_LEN]; /* of web_factor.c */
	struct factor_recovery recovery;
	void *more; /* of web_oidc.c, web_factor.c and web_passkey.c; of free_more() */
	void (*free_more)(void *more);
	struct token *tokens; /* of web_factor.c: TOKENS_MAX rows, or NULL */
	size_t token_count;
	bool brings;        /* a passkey (web_passkey.h) */
	struct err refused; /* of keep(): what was noted stays, and nobody is in */
};

/* Takes the form over. Refuses what is none of ours by itself; NULL then. */
struct web_enter *web_enter_new(struct web *web, struct http_request *r,
				const struct web_enter_way *way, const char *const *names,
				const char *const *others);
/* The same for a request that is no form. */
struct web_enter *web_enter_plain(struct web *web, struct http_request *r,
				  const struct web_enter_way *way);
/* `en` is freed at the end. A password or code that is given counts as a try (sign_in_rate.h). */
void web_enter_start(struct web_enter *en);
/* Of look(): whose password is given, and whether a code has to come with it. */
int web_enter_owner(struct store *store, struct web_enter *en, struct err *e) MUST_CHECK;
/* The field of a form for it, which a form without a second factor lacks. */
extern const char *const web_enter_codes[];
void web_enter_code(struct writer *w, bool has_factor);

/* What the browser says that it is; "" if it does not. On the loop alone. */
void web_enter_about(const struct http_request *r, char about[LOGIN_ABOUT_MAX + 1]);
/* Of keep(): a session for that person, where it can begin at once. */
int web_enter_login(struct store *store, struct web_enter *en, struct err *e) MUST_CHECK;
/* Of done(): the browser is in, by its session's cookie, or by a link at a name of its own (web_door.h). */
void web_enter_in(struct web_enter *en);
void web_enter_free(struct web_enter *en);
