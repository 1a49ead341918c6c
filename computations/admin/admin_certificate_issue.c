/* SPDX-License-Identifier: Apache-2.0 */
/* admin_certificate_issue.c — a certificate for whoever has a token, and of agents perhaps for evidence besides. */
#include "common/rpc/observer.h"
#include "computations/admin/admin_certificate_call.h"
#include "computations/admin/admin_people.h"
#include "computations/ca/signing_request.h"
#include "computations/core/session.h"

#include <string.h>

struct span certificate_put(uint8_t **at, const ProtobufCBinaryData *bytes)
{
	const struct span copy = { *at, bytes->len };

	if (bytes->len)
		memcpy(*at, bytes->data, bytes->len);
	*at += bytes->len;
	return copy;
}

/* Whether its evidence has to be judged first. */
static int check_evidence(const struct request *r, enum ca_role role, struct err *e)
{
	if (!r->service->ca_evidence || role != CA_AGENT || r->certificate->evidence_len)
		return 0;
	return err_set(e, ERR_PRECONDITION,
		       "this service gives agents certificates for evidence of their key alone "
		       "(COMPUTATIONS_CA_EVIDENCE), and this one showed none");
}

static int run_look(struct store *store, struct request *r, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct certificate_request *c = r->certificate;

	if (ca_token_find(&store->db, c->token, store_now(), &c->rows[0], e) < 0 ||
	    check_evidence(r, c->rows[0].role, e) < 0)
		return err_code(e);
	return signing_request_read(c->request, c->request_len, c->rows[0].name, &key, e);
}

static int run_issue(struct store *store, struct request *r, struct err *e)
{
	struct certificate_request *c = r->certificate;
	struct ca_record *issued = &c->rows[0];

	/* Of another role: nothing was to be judged, and the token is of that one still. */
	if (r->service->ca_evidence && !c->is_verified && issued->role == CA_AGENT)
		return err_set(e, ERR_INTERNAL, "an agent's evidence was not judged");
	if (ca_issue(&store->db, r->service->authority, c->token,
		     (struct span){ c->request, c->request_len }, store_now(), issued, &c->pem,
		     e) < 0)
		return err_code(e);
	certificate_about(r, issued);
	request_was(r, "open");
	request_is(r, "issued to %s %s, key %s", ca_roles[issued->role].name, issued->name,
		   issued->key);
	return 0;
}

void certificate_reply(struct request *r)
{
	const struct ca_record *issued = &r->certificate->rows[0];
	Certificates__IssueResponse m = CERTIFICATES__ISSUE_RESPONSE__INIT;
	Google__Protobuf__Timestamp time;

	rpc_call_note(r->call, "serial", issued->serial);
	m.certificate = r->certificate->pem;
	m.authority = issued->signer->pem;
	m.name = (char *)(uintptr_t)issued->name;
	m.role = (char *)(uintptr_t)ca_roles[issued->role].name;
	m.serial = (char *)(uintptr_t)issued->serial;
	m.expires = people_time(&time, issued->ends);
	rpc_call_reply(r->call, &m.base);
}

/* ---- with evidence ---- */

static int take_evidence(struct certificate_request *c, const Certificates__IssueRequest *m,
			 struct err *e)
{
	uint8_t *at;

	if (m->evidence.len > APPRAISAL_TOKEN_MAX || m->identity.len > SPKI_MAX ||
	    m->signature.len > SIGNATURE_MAX)
		return err_set(
			e, ERR_INVALID,
			"evidence of %zu bytes, identity of %zu, signature of %zu; the limits "
			"are %d, %d and %d",
			m->evidence.len, m->identity.len, m->signature.len, APPRAISAL_TOKEN_MAX,
			SPKI_MAX, SIGNATURE_MAX);
	c->evidence = at = malloc(m->evidence.len + m->identity.len + m->signature.len + 1);
	if (!at)
		return err_nomem(e);
	c->evidence_len = certificate_put(&at, &m->evidence).len;
	c->identity = certificate_put(&at, &m->identity);
	c->signature = certificate_put(&at, &m->signature);
	return issue_evidence_make(c->token, (struct span){ c->request, c->request_len }, &c->about,
				   e);
}

/* The key that has signed this very question, which then has to be the one that the evidence binds. */
static int check_signature(const struct certificate_request *c, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (key_parse_spki(c->identity.bytes, c->identity.len, &key, e) < 0)
		return err_wrap(e, "identity");
	return key_verify(key, c->about.message, sizeof(c->about.message), c->signature.bytes,
			  c->signature.len, e) < 0
		       ? err_wrap(e, "the identity has not signed this request")
		       : 0;
}

static int check_verdict(const struct certificate_request *c,
			 const struct appraisal_verdict *verdict, struct err *e)
{
	uint8_t identity[SHA256_LEN];

	if (!verdict->verified)
		return err_set(e, ERR_DENIED, "the agent's evidence: %s", verdict->line);
	if (digest(DIGEST_SHA256, c->identity.bytes, c->identity.len, identity, e) < 0)
		return err_code(e);
	if (!verdict->has_identity)
		return err_set(
			e, ERR_DENIED,
			"the agent's evidence binds no identity that counts: none, or under a policy that "
			"takes stock agents (run.agent)");
	if (memcmp(verdict->identity, identity, sizeof(identity)) != 0)
		return err_set(e, ERR_DENIED,
			       "the agent's evidence is of another identity than the one that has "
			       "signed the request");
	return 0;
}

/* Endorsements may take longer to be fetched than an agent waits. It comes again with its token, which is to be good for what
 * it asks for then. */
static int check_is_there(const struct request *r, struct err *e)
{
	return rpc_call_is_open(r->call)
		       ? 0
		       : err_set(e, ERR_CANCELLED, "who asked for the certificate has left");
}

static void on_verdict(void *data, const struct appraisal_verdict *verdict)
{
	struct request *r = data;
	struct err e;

	if (check_is_there(r, &e) < 0 || check_verdict(r->certificate, verdict, &e) < 0) {
		request_refuse(r, &e);
		return;
	}
	r->certificate->is_verified = true;
	request_go_on(r, run_issue, certificate_reply);
}

/* The token is worth something: what comes with it is judged, before it is used up. */
static void judge_evidence(struct request *r)
{
	struct certificate_request *c = r->certificate;
	struct appraisal_case asked = { .cvm_id = c->rows[0].name,
					.group = rpc_call_group(r->call) };
	struct err e;

	if (!r->service->ca_evidence || c->rows[0].role != CA_AGENT) {
		request_go_on(r, run_issue, certificate_reply);
		return;
	}
	memcpy(asked.nonce, c->about.nonce, sizeof(asked.nonce));
	if (check_is_there(r, &e) < 0 || check_signature(c, &e) < 0 ||
	    evidence_client(r->call, asked.client, &e) < 0 ||
	    appraisal_start(r->service->appraisal, &asked, c->evidence, c->evidence_len, on_verdict,
			    r, &e) < 0)
		request_refuse(r, &e);
}

void certificate_issue(struct rpc_call *call, const ProtobufCMessage *message)
{
	const Certificates__IssueRequest *m = (const Certificates__IssueRequest *)message;
	struct request *r = certificate_request_new(call, "", m->token);
	struct certificate_request *c;
	struct err e;

	if (!r)
		return;
	c = r->certificate;
	c->request = malloc(m->request.len + 1);
	if (!c->request) {
		err_nomem(&e);
		request_refuse(r, &e);
		return;
	}
	if (m->request.len)
		memcpy(c->request, m->request.data, m->request.len);
	c->request_len = m->request.len;
	if (r->service->ca_evidence && take_evidence(c, m, &e) < 0)
		request_refuse(r, &e);
	else
		request_look_first(r, run_look, judge_evidence);
}
