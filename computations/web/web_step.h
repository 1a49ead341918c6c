/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_step.h — a form of somebody who has signed in, on its way through the database, where no password is asked for
 * (web_enter.h has those). For this folder only.
 */
#pragma once

#include "computations/people/device.h"
#include "computations/people/factor.h"
#include "computations/people/passkey.h"
#include "computations/web/web_form.h"
#include "computations/web/web_trail.h"
#include "computations/web/web_work.h"

struct web_step;

struct web_step_way {
	const char *const *names; /* the form's fields (web_form_read()) */
	/* In the pool, once the caller may. */
	int (*run)(struct store *store, struct web_step *step, struct err *e);
	/* On the loop: answers. `e` NULL: it is done. */
	void (*done)(struct web_step *step, const struct err *e);
	bool changes; /* and so the audit log has it */
	enum web_trail_deed deed;
};

struct web_step {
	struct http_request *r; /* a reference */
	struct web *web;
	struct web_form *form;
	struct admin_caller caller;
	const struct web_step_way *way;
	struct web_trail trail;
	struct device device; /* of web_device.c */
	struct factor_state factor;
	bool has_password, has_passkey; /* the same: what it may be answered with */
	char secret[PASSKEY_TEXT_LEN + 1];
};

/* Reads the form, and refuses what is none of this session's. `way` is kept. */
void web_step_start(struct web *web, struct http_request *r, const struct web_step_way *way);

/* Of done(): back to the caller's own page. */
void web_step_back(struct web_step *step);

/* A form of one button. */
void web_step_button(struct writer *w, const char *csrf, const char *action, const char *what,
		     const char *word, const char *about);
