/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_security.h — how parties reach the agent of a computation: the modes of its listener, and the files that each takes.
 * For this folder only.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/writer.h"
#include "computations/web/web_form.h"
#include "cvms.pb-c.h"

enum web_file { FILE_CERT, FILE_KEY, FILE_CLIENT_CA, FILE_SERVER_CA, WEB_FILES };
enum web_file_use { FILE_NO, FILE_MAY, FILE_MUST };

struct web_mode {
	const char *word, *label, *says; /* says: also what it does not prove */
	bool is_attested;
	enum web_file_use uses[WEB_FILES];
};

/* In the order of the guides; without a word: the end. */
extern const struct web_mode web_modes[];
/* The word of the one that a form begins with. */
#define WEB_MODE_FIRST "attested"
/* That of an agent's configuration, or of none (NULL). */
const struct web_mode *web_mode_of(const Cvms__AgentConfig *c);

/* Names of the form's fields for files, behind them NULL. */
extern const char *const web_files[WEB_FILES + 1];
/* As people call it, in the middle of a sentence. */
const char *web_file_label(enum web_file file);
/* What the configuration has in its place. */
const char *web_file_of(const Cvms__AgentConfig *c, enum web_file file);

/* The choice and its fields: each with what `value` says of it; the private key is never there. */
struct web_security_form {
	const char *(*value)(const void *data, const char *name);
	const void *data;
	bool is_sent; /* the form comes back */
};
void web_security_put(const struct web_security_form *f, struct writer *w);

/* The member agent_config of a manifest, with a comma before it, of what the form says. */
int web_security_read(const struct web_form *form, struct writer *w, struct err *e) MUST_CHECK;
