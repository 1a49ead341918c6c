/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_certificate.c — the computation service's authority: tokens for certificates, and what was issued. */
#include "cli/base/number.h"
#include "cli/base/output.h"
#include "cli/base/text.h"
#include "cli/client/certificate_client.h"
#include "cli/client/listing.h"
#include "cli/cmd/commands.h"
#include "common/base/log.h"

#include <inttypes.h>
#include <string.h>

enum { SERIAL_TEXT_MAX = 64 };

static const char *const roles[] = { "agent", "manager", "service", "person", NULL };

/* ---- a token ---- */

static int read_hours(const struct cli *cli, uint32_t *hours, struct err *e)
{
	const char *text = cli_value(cli, "hours");
	uint64_t number = 0;

	if (text && (!number_decimal(text, &number) || !number || number > UINT32_MAX))
		return err_set(e, ERR_INVALID, "--hours %s: give a number of hours",
			       log_quote(text).text);
	*hours = (uint32_t)number;
	return 0;
}

static enum cli_exit run_token(struct cli *cli, struct err *e)
{
	Certificates__TokenRequest request = CERTIFICATES__TOKEN_REQUEST__INIT;
	char time[COMPUTATION_TIME_MAX];
	Certificates__NewToken *made;
	ProtobufCMessage *response;
	enum cli_exit status;

	if (people_days_read(cli, &request.days, e) < 0 || read_hours(cli, &request.hours, e) < 0)
		return CLI_USAGE;
	request.role = (char *)(uintptr_t)cli->operands[0];
	request.name = (char *)(uintptr_t)cli->operands[1];
	status = computation_call(cli, &certificate_add_token, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	made = (Certificates__NewToken *)response;
	computation_time(made->expires, time);
	fprintf(cli->out, "%s\n", text_plain(made->token).text);
	fprintf(stderr, "note: for certificate %s", text_plain(made->serial).text);
	fprintf(stderr, "; the token is not shown again, and works once, until %s\n", time);
	if (fflush(cli->out) != 0) {
		err_errno(e, "standard output");
		cli_hint(cli, "nobody has that token: 'cocos-cli certificate revoke %s'",
			 text_plain(made->serial).text);
		status = CLI_FAILED;
	}
	explicit_bzero(made->token, strlen(made->token));
	protobuf_c_message_free_unpacked(response, NULL);
	return status;
}

/* clang-format off */
static const struct cli_option token_options[] = {
	{ .name = "days", .value = "NUMBER",
	  .help = "that the certificate is for: of an agent at most 7 (1), of a person 30 (7), else 90 (30)" },
	{ .name = "hours", .value = "NUMBER", .help = "until the token ends, at most 168 (1)" },
	SERVICE_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_certificate_token = {
	.name = "certificate token",
	.args = "ROLE NAME",
	.help = "print a token for one certificate, for administrators",
	.operands_min = 2,
	.operands_max = 2,
	.operand_words = roles,
	.options = token_options,
	.run = run_token,
	.more = "ROLE is agent, manager, service or person; NAME is what the certificate says: a CVM's id, the name\n"
		"or IPv4 address of a manager's or service's host, a user's name. Whoever has the token first gets\n"
		"the certificate, with 'certificate issue': hand it over where nobody else reads. It is good for\n"
		"nothing once it was used or revoked or has ended, and once its maker administers nothing.",
};

/* ---- those that there are ---- */

static const struct table_column columns[] = {
	{ "SERIAL", "serial", false },   { "ROLE", "role", false },
	{ "NAME", "name", false },       { "STATE", "state", false },
	{ "EXPIRES", "expires", false }, { "ISSUED", "issued", true },
	{ "REVOKED", "revoked", true },  { "KEY", "key", true },
	{ "MAKER", "maker", true },      { "CREATED", "created", true },
	{ "LINE", "line", true },        { "RENEWAL", "renewal", true },
	{ NULL, NULL, false },
};

static void add_row(struct table *t, const Certificates__Certificate *c)
{
	table_text(t, c->serial);
	table_text(t, c->role);
	table_text(t, c->name);
	table_text(t, c->state);
	table_moment(t, people_ms(c->expires));
	table_moment(t, people_ms(c->issued));
	table_moment(t, people_ms(c->revoked));
	table_text(t, c->key);
	table_text(t, c->maker);
	table_moment(t, people_ms(c->created));
	table_text(t, c->line);
	table_number(t, c->renewal, NULL);
}

static void rows(struct table *t, const ProtobufCMessage *message)
{
	const Certificates__ListResponse *page = (const Certificates__ListResponse *)message;

	for (size_t i = 0; i < page->n_certificates; i++)
		add_row(t, page->certificates[i]);
}

static enum cli_exit run_list(struct cli *cli, struct err *e)
{
	static const struct listing listing = { &certificate_list, columns, rows, NULL };

	return listing_print(cli, &listing, e);
}

const struct command cmd_certificate_list = {
	.name = "certificate list",
	.args = "",
	.help = "list tokens and certificates, for administrators",
	.options = (const struct cli_option[]){ TABLE_OPTIONS, SERVICE_OPTIONS, { .name = NULL } },
	.run = run_list,
	.more = "An open one is a token that nobody has used; EXPIRES is the token's end then. LINE is the first of the\n"
		"certificates that one renews, RENEWAL which of them it is. What has ended is told for 30 days more, and\n"
		"while its line has one that has not.",
};

/* As the list has it: 'openssl x509' and others print it in upper case, and with colons. */
static char *as_listed(const char *text, char serial[SERIAL_TEXT_MAX + 1])
{
	size_t len = 0;

	for (const char *at = text; *at; at++) {
		if (*at == ':')
			continue;
		if (len == SERIAL_TEXT_MAX)
			return (char *)(uintptr_t)text; /* none is so long */
		serial[len++] = (char)(*at >= 'A' && *at <= 'F' ? *at - 'A' + 'a' : *at);
	}
	serial[len] = '\0';
	return serial;
}

static enum cli_exit run_revoke(struct cli *cli, struct err *e)
{
	char serial[SERIAL_TEXT_MAX + 1];
	Certificates__RevokeRequest request = CERTIFICATES__REVOKE_REQUEST__INIT;
	ProtobufCMessage *response;
	const Certificates__RevokeResponse *m;
	enum cli_exit status;

	request.serial = as_listed(cli->operands[0], serial);
	status = computation_call(cli, &certificate_revoke, &request.base, &response, e);
	if (status != CLI_OK)
		return status;
	m = (const Certificates__RevokeResponse *)response;
	for (size_t i = 0; i < m->n_serials; i++)
		fprintf(cli->out, "certificate %s revoked\n", text_plain(m->serials[i]).text);
	protobuf_c_message_free_unpacked(response, NULL);
	return CLI_OK;
}

const struct command cmd_certificate_revoke = {
	.name = "certificate revoke",
	.args = "SERIAL",
	.help = "put a certificate and its renewals on the list of revoked ones, or end its token, for administrators",
	.operands_min = 1,
	.operands_max = 1,
	.options = (const struct cli_option[]){ SERVICE_OPTIONS, { .name = NULL } },
	.run = run_revoke,
	.more = "The next list that anybody fetches has it. With it goes its line: those that it renews and that renew it,\n"
		"whichever of them is named; each is printed. One that has ended can be named, too, for somebody may have\n"
		"renewed it. A certificate can't be brought back.",
};

/* ---- who signs them ---- */

static enum cli_exit run_authority(struct cli *cli, struct err *e)
{
	Certificates__AuthorityRequest request = CERTIFICATES__AUTHORITY_REQUEST__INIT;
	struct client client CLEANUP_CLIENT = { .loop = NULL };
	const Certificates__AuthorityResponse *a;
	const char *path = cli_value(cli, "output");
	ProtobufCMessage *response;
	int failed;

	if (client_open_as_nobody(&client, CLIENT_COMPUTATIONS, cli, e) < 0)
		return CLI_USAGE;
	if (client_call(&client, &certificate_authority, &request.base, &response, e) < 0) {
		client_hint(&client, e);
		return CLI_FAILED;
	}
	a = (const Certificates__AuthorityResponse *)response;
	failed = cli_flag(cli, "list")
			 ? output_write(cli, path, a->list.data, a->list.len, e)
			 : output_write(cli, path, a->certificate, strlen(a->certificate), e);
	protobuf_c_message_free_unpacked(response, NULL);
	return failed ? CLI_FAILED : CLI_OK;
}

/* clang-format off */
static const struct cli_option authority_options[] = {
	{ .name = "list", .help = "the list of revoked certificates in its place, DER" },
	OUTPUT_OPTION,
	CLIENT_OPTIONS,
	{ .name = NULL },
};
/* clang-format on */

const struct command cmd_certificate_authority = {
	.name = "certificate authority",
	.args = "",
	.help = "print the certificate of the computation service's authority, PEM",
	.options = authority_options,
	.run = run_authority,
	.more = "Nobody has to be known for it. Compare its key with whoever runs the service before you trust it.\n"
		"A list is for a day; a new one is made every six hours, and when a certificate is revoked.",
};
