/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_security.h"

#include "common/base/json.h"
#include "common/manifest/agent_config.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"

#include <string.h>

const struct web_mode web_modes[] = {
	{ "none", "No TLS", WEB_MODE_NONE, false, { FILE_NO, FILE_NO, FILE_NO, FILE_NO } },
	{ "tls", "TLS", WEB_MODE_TLS, false, { FILE_MUST, FILE_MUST, FILE_NO, FILE_MAY } },
	{ "mtls",
	  "Mutual TLS (mTLS)",
	  WEB_MODE_MTLS,
	  false,
	  { FILE_MUST, FILE_MUST, FILE_MUST, FILE_MAY } },
	{ "attested",
	  "Attested TLS (aTLS)",
	  WEB_MODE_ATTESTED,
	  true,
	  { FILE_MAY, FILE_MAY, FILE_NO, FILE_MAY } },
	{ "mutual",
	  "Mutual attested TLS (maTLS)",
	  WEB_MODE_MUTUAL,
	  true,
	  { FILE_MAY, FILE_MAY, FILE_MUST, FILE_MAY } },
	{ .word = NULL },
};

static const struct {
	const char *label, *title, *hint;
} files[WEB_FILES] = {
	[FILE_CERT] = { "the agent’s certificate", "Agent’s certificate", WEB_FILE_CERT },
	[FILE_KEY] = { "the agent’s private key", "Agent’s private key", WEB_FILE_KEY },
	[FILE_CLIENT_CA] = { "the clients’ authority", "Clients’ authority", WEB_FILE_CLIENT_CA },
	[FILE_SERVER_CA] = { "the agent’s authorities", "Agent’s authorities", WEB_FILE_SERVER_CA },
};
const char *const web_files[WEB_FILES + 1] = { "cert", "key", "client_ca", "server_ca", NULL };

const char *web_file_label(enum web_file file)
{
	return files[file].label;
}

const char *web_file_of(const Cvms__AgentConfig *c, enum web_file file)
{
	const char *const fields[] = { c->cert_file, c->key_file, c->client_ca_file,
				       c->server_ca_file };

	return fields[file];
}

static const struct web_mode *mode_named(const char *word)
{
	for (const struct web_mode *m = web_modes; m->word; m++)
		if (strcmp(m->word, word) == 0)
			return m;
	return NULL;
}

const struct web_mode *web_mode_of(const Cvms__AgentConfig *c)
{
	const bool is_mutual = c && *c->client_ca_file;

	if (c && c->attested_tls)
		return mode_named(is_mutual ? "mutual" : "attested");
	if (c && *c->cert_file)
		return mode_named(is_mutual ? "mtls" : "tls");
	return mode_named("none");
}

/* ---- the form ---- */

/* The sheet shows what is for the mode that is chosen. */
static void put_modes(const char *chosen, struct writer *w)
{
	page_put(w, "<div><label for=\"f-security\">Agent’s listener</label><select "
		    "id=\"f-security\" name=\"security\">");
	for (const struct web_mode *m = web_modes; m->word; m++)
		page_put(w, "<option value=\"%a\"%s>%t</option>", m->word,
			 strcmp(m->word, chosen) == 0 ? " selected" : "", m->label);
	page_put(w, "</select>");
	for (const struct web_mode *m = web_modes; m->word; m++)
		page_put(w, "<p class=\"hint of-mode for-%s\"><b class=\"mode\">%t: </b>%t</p>",
			 m->word, m->label, m->says);
	page_put(w, "</div>\n");
}

/* What stood in a field and comes back; no private key does. */
static const char *shown(const char *value)
{
	return strstr(value, "PRIVATE KEY") ? "" : value;
}

static void put_file(const struct web_security_form *f, enum web_file file, struct writer *w)
{
	const char *name = web_files[file], *value = f->value(f->data, name);
	const bool is_again = file == FILE_KEY && f->is_sent && *value;

	page_put(w, "<div class=\"of-mode");
	for (const struct web_mode *m = web_modes; m->word; m++)
		if (m->uses[file] != FILE_NO)
			page_put(w, " for-%s", m->word);
	page_put(w,
		 "\"><label for=\"f-%s\">%t</label><textarea id=\"f-%s\" name=\"%s\" rows=\"4\" "
		 "spellcheck=\"false\" autocomplete=\"off\" placeholder=\" \" "
		 "aria-describedby=\"h-%s\">%t</textarea><span class=\"hint%s\" id=\"h-%s\">%t"
		 "</span>",
		 name, files[file].title, name, name, name, file == FILE_KEY ? "" : shown(value),
		 is_again ? " wrong" : "", name, is_again ? WEB_FILE_AGAIN : files[file].hint);
	page_put(w,
		 "<div class=\"row pem\" data-pem=\"f-%s\" data-kind=\"%s\"><label class=\"small\" "
		 "for=\"p-%s\">From a file<span class=\"sr\">: %t</span></label><input "
		 "id=\"p-%s\" type=\"file\"><output></output></div></div>\n",
		 name, file == FILE_KEY ? "PRIVATE KEY" : "CERTIFICATE", name, files[file].title,
		 name);
}

void web_security_put(const struct web_security_form *f, struct writer *w)
{
	const char *chosen = f->value(f->data, "security");

	put_modes(*chosen ? chosen : WEB_MODE_FIRST, w);
	for (int file = 0; file < WEB_FILES; file++)
		put_file(f, (enum web_file)file, w);
}

/* ---- what it says ---- */

static void put_member(struct writer *w, const char *key, const char *text)
{
	json_put_key(w, key);
	json_quote(w, text, strlen(text));
}

/* A name of a file in the guest is none here: whoever typed it may have meant one of his own. */
static int read_file(const struct web_form *form, const struct web_mode *mode, enum web_file file,
		     struct writer *w, struct err *e)
{
	static const char *const members[WEB_FILES] = { "cert_file", "key_file", "client_ca_file",
							"server_ca_file" };
	const char *text = web_form_text(form, web_files[file]), *label = files[file].label;
	const enum web_file_use use = mode->uses[file];

	if (!*text)
		return use != FILE_MUST ? 0
					: err_set(e, ERR_INVALID, "security: %s needs %s, as PEM",
						  mode->label, label);
	if (use == FILE_NO)
		return err_set(e, ERR_INVALID,
			       "security: %s has no use for %s: empty that field, or choose "
			       "another mode",
			       mode->label, label);
	if (!strstr(text, "-----BEGIN ") || agent_config_is_path(text))
		return err_set(e, ERR_INVALID,
			       "security: %s is no PEM text, which begins with -----BEGIN", label);
	if (file != FILE_KEY && strstr(text, "PRIVATE KEY"))
		return err_set(e, ERR_INVALID,
			       "security: %s: a private key, where none belongs: nobody else may "
			       "have it",
			       label);
	put_member(w, members[file], text);
	return 0;
}

int web_security_read(const struct web_form *form, struct writer *w, struct err *e)
{
	const struct web_mode *mode = mode_named(web_form_text(form, "security"));
	const char *level = web_form_text(form, "level");

	if (!mode)
		return err_set(e, ERR_INVALID,
			       "security: none, tls, mtls, attested or mutual: choose one");
	writer_text(w, ",\"agent_config\":{");
	for (int file = 0; file < WEB_FILES; file++)
		if (read_file(form, mode, (enum web_file)file, w, e) < 0)
			return err_code(e);
	if (mode->is_attested) {
		json_put_key(w, "attested_tls");
		writer_text(w, "true");
	}
	if (*level)
		put_member(w, "log_level", level);
	writer_text(w, "}");
	return 0;
}
