/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/agent_manifest.h"

#include "agent/core/agent_journal.h"
#include "agent/core/agent_listener.h"
#include "agent/core/agent_stop.h"
#include "agent/core/config.h"
#include "agent/core/cvms.h"
#include "agent/core/service.h"
#include "agent/core/statement.h"
#include "agent/evidence/evidence.h"
#include "agent/jail/runner_spec.h"
#include "agent/upload/restoring.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct postbox_subject subject_of(const struct computation *c)
{
	return (struct postbox_subject){ c->manifest->id, c->attempt };
}

static void answer(struct agent *agent, struct postbox_subject subject, const struct err *e)
{
	char text[ERR_TEXT_MAX + 64] = "";

	if (e) {
		snprintf(text, sizeof(text), "%s: %s", err_code_name(e->code), e->text);
		log_warn("manifest %s refused: %s", log_quote(subject.computation).text, text);
	}
	postbox_run_response(&agent->postbox, subject, text, agent_notice(agent));
	cvms_flush(agent->cvms);
}

/* Refused first, so that the service knows the agent as free: a failure that it hears of before is that of a run,
 * which holds its CVM until a stop. */
static void on_undone(struct agent *agent, const struct err *e)
{
	const struct err why = agent->unserved;

	agent->computation = TAKE_PTR(agent->incoming);
	answer(agent, subject_of(agent->computation), &why);
	agent_fail(agent, &why);
	if (!e) {
		agent_stop_end(agent, agent->stop_wanted);
		return;
	}
	agent_say(agent, "ERROR", "%s: no other computation is taken", e->text);
	agent_stop_go_on(agent);
}

/* The manifest was fine and the machine was not: the computation fails, and is over when nothing of it is left. */
static void fail(struct agent *agent, const struct err *e)
{
	agent->unserved = *e;
	agent_stop_undo(agent, on_undone);
}

static int open_listener(struct agent *agent, struct err *e)
{
	const struct computation *c = agent->incoming;
	const struct agent_listener_options options = {
		.loop = agent->loop,
		.host = agent->config->grpc_host,
		.config = &c->listener,
		.identity = agent_identity(agent),
		.evidence = agent->evidence,
		.service = &service,
		.service_data = agent,
	};

	if (challenges_begin(&agent->challenges, e) < 0)
		return err_wrap(e, "challenges for those without TLS");
	if (agent_listener_open(&options, &agent->listener, e) < 0)
		return err_wrap(e, "open the agent's listener");
	if (state_step(&agent->state, EVENT_MANIFEST, e) < 0) {
		agent_listener_close(TAKE_PTR(agent->listener), "there is no computation");
		return err_code(e);
	}
	return 0;
}

static void serve(struct agent *agent)
{
	const bool measured = agent->manifest_measured;
	struct computation *c;
	char hex[2 * SHA3_256_LEN + 1];

	c = agent->computation = TAKE_PTR(agent->incoming);
	c->measured = measured;
	hex_encode(c->digests.sha3_256, SHA3_256_LEN, hex);
	answer(agent, subject_of(c), NULL);
	agent_say(agent, "INFO", "manifest %s %s, listening on port %u%s", hex,
		  measured ? "measured" : "taken WITHOUT being measured (development)",
		  c->listener.port,
		  c->listener.client_ca ? " with mTLS"
		  : c->listener.cert    ? " with TLS"
					: "");
	agent_event(agent, "ReceivingAlgorithm", "InProgress");
}

/* Told when the computation has a journal and a listener. */
static void say_restored(struct agent *agent, const struct restoring_end *end)
{
	if (end->restored > 0)
		agent_say(agent, "INFO",
			  "datasets that are here since a run that failed, as their owners "
			  "allowed: %zu",
			  end->restored);
	if (end->wiped > 0)
		agent_say(agent, "INFO",
			  "datasets of a run that failed, wiped, since their owners did not allow "
			  "this one: %zu",
			  end->wiped);
}

static void on_restored(void *data, const struct restoring_end *end)
{
	struct agent *agent = data;
	struct err e;

	if (agent->shutting_down)
		return;
	if (open_listener(agent, &e) < 0) {
		fail(agent, &e);
		return;
	}
	serve(agent);
	agent_journal_restored(agent);
	say_restored(agent, end);
	agent_stop_go_on(agent);
}

/* All is vouched for. What owners let be kept is laid in its place before anybody can call. */
static void go_on(struct agent *agent)
{
	struct err e;

	if (agent->uploads.retained.count > 0) {
		if (restoring_start(agent->loop, &agent->uploads.retained, agent->incoming,
				    on_restored, agent, &e) < 0)
			fail(agent, &e);
	} else if (open_listener(agent, &e) < 0) {
		fail(agent, &e);
	} else {
		serve(agent);
		agent_stop_go_on(agent);
	}
}

static bool is_good(struct agent *agent, bool measured, const struct err *e, struct err *why)
{
	if (!e && (measured || agent->config->options.development))
		return true;
	if (e)
		*why = *e;
	else
		err_set(why, ERR_INTERNAL, "the keeper measured nothing");
	err_wrap(why, "measure the manifest");
	return false;
}

static void on_run_evidence(void *data, const struct keeper_evidence *evidence, const struct err *e)
{
	struct agent *agent = data;
	struct span statement = { agent->statement, agent->statement_len };
	struct err why;

	if (e) {
		why = *e;
		err_wrap(&why, "evidence over the run statement");
		fail(agent, &why);
	} else if (agent_proof_make(statement, evidence, &agent->proof, &why) < 0) {
		fail(agent, &why);
	} else {
		agent->external_bound = agent->external.key != NULL;
		/* It lives on with the evidence, until the run is dropped. */
		evidence_set_run(agent->evidence, agent_identity(agent)->key,
				 TAKE_PTR(agent->statement), agent->statement_len, evidence);
		agent_journal_evidence(agent, statement);
		go_on(agent);
	}
}

/* The statement of what was measured, and the journal that begins with it. */
static int make_statement(struct agent *agent, struct span journal, struct err *e)
{
	const struct statement_input input = {
		.config = agent->config,
		.computation = agent->incoming,
		.identity = agent->external.key ? &agent->external : &agent->own,
		.journal = journal,
		.fixed = keeper_facts(agent->keeper)->fixed,
	};

	free(TAKE_PTR(agent->statement));
	if (statement_make(&input, &agent->statement, &agent->statement_len, e) < 0)
		return err_code(e);
	return agent_journal_begin(agent, (struct span){ agent->statement, agent->statement_len },
				   e);
}

/* Nothing here could vouch for a statement. */
static void go_on_unmeasured(struct agent *agent)
{
	agent_journal_evidence(agent, (struct span){ agent->statement, agent->statement_len });
	go_on(agent);
}

static void on_journal_key(void *data, const struct span *parts, size_t count, const struct err *e)
{
	struct agent *agent = data;
	struct err why;

	if (e) {
		why = *e;
		err_wrap(&why, "the journal's key");
		fail(agent, &why);
	} else if (make_statement(agent, parts[0], &why) < 0) {
		fail(agent, &why);
	} else if (!agent->manifest_measured) {
		go_on_unmeasured(agent);
	} else if (keeper_run(agent->keeper, agent->statement, agent->statement_len,
			      on_run_evidence, agent, &why) < 0) {
		/* the listener opens when evidence over the statement is there */
		fail(agent, &why);
	}
}

static void on_manifest_measured(void *data, bool measured, const struct err *e)
{
	struct agent *agent = data;
	struct err why;

	agent->manifest_measured = measured;
	if (!is_good(agent, measured, e, &why) ||
	    keeper_journal_key(agent->keeper, on_journal_key, agent, &why) < 0)
		fail(agent, &why);
}

static void on_config_measured(void *data, bool measured, const struct err *e)
{
	struct agent *agent = data;
	struct computation *c = agent->incoming;
	struct err why;

	if (!is_good(agent, measured, e, &why) ||
	    keeper_measure(agent->keeper, KEEPER_EVENT_MANIFEST, c->canonical, c->canonical_len,
			   on_manifest_measured, agent, &why) < 0)
		fail(agent, &why);
}

/* The identity of this computation: what its manifest brings for attested TLS, else the agent's. */
static int choose_identity(struct agent *agent, const struct agent_config *listener, struct err *e)
{
	agent_drop_run(agent);
	if (!listener->attested_tls)
		return 0;
	if (evidence_available(agent->evidence, e) < 0)
		return err_wrap(e, "agent_config.attested_tls");
	return listener->key ? identity_take(listener, &agent->external, e) : 0;
}

/* The certificates' share, which was read once at boot, and measured. */
static const char *boot_file(const void *data, const char *path)
{
	return config_pem(data, path);
}

/* What the image has no runtime for is refused before anybody sends anything. */
static int check_kind(const Cvms__ComputationRunReq *manifest, struct err *e)
{
	enum runner_kind kind;

	if (runner_spec_kind(manifest->algorithm->algo_type, &kind, e) < 0)
		return err_wrap(e, "manifest: algorithm: algo_type");
	return 0;
}

static int begin(struct agent *agent, uint64_t attempt, Cvms__ComputationRunReq *manifest,
		 struct err *e)
{
	const struct agent_config_files files = { boot_file, agent->config };
	CLEANUP(free) char *config = NULL;
	size_t len;
	int failed = computation_new(manifest, &files, agent->dir, &agent->incoming, e);

	if (failed)
		return failed;
	agent->incoming->attempt = attempt;
	failed = check_kind(agent->incoming->manifest, e);
	if (!failed)
		failed = choose_identity(agent, &agent->incoming->listener, e);
	if (!failed)
		failed = agent_config_canonical(&agent->incoming->listener, &config, &len, e);
	if (!failed)
		failed = computation_make_dir(agent->incoming, e);
	if (!failed)
		failed = keeper_measure(agent->keeper, KEEPER_EVENT_CONFIG, config, len,
					on_config_measured, agent, e);
	if (failed) {
		struct err ignored;

		(void)!dir_remove(agent->dir, &ignored);
		computation_unref(TAKE_PTR(agent->incoming));
	}
	return failed;
}

static int take(struct agent *agent, uint64_t attempt, Cvms__ComputationRunReq *manifest,
		struct err *e)
{
	if (!agent->incoming && state_takes(agent->state, EVENT_MANIFEST))
		return begin(agent, attempt, manifest, e);
	manifest_free(manifest);
	return err_set(
		e, ERR_PRECONDITION,
		"a manifest is not expected %s%s; stop computation "
		"%s first",
		agent->incoming ? "while another is measured" : "in state ",
		agent->incoming ? "" : state_name(agent->state),
		log_quote((agent->incoming ? agent->incoming : agent->computation)->manifest->id)
			.text);
}

bool agent_manifest_take(struct agent *agent, struct postbox_subject subject, const void *bytes,
			 size_t len)
{
	Cvms__ComputationRunReq *manifest = NULL;
	char own_id[MANIFEST_ID_MAX + 1] = "";
	struct err e;

	if (manifest_decode(bytes, len, &manifest, &e) < 0) {
		answer(agent, subject, &e);
		return false;
	}
	if (strlen(manifest->id) < sizeof(own_id))
		strncpy(own_id, manifest->id, sizeof(own_id) - 1);
	subject.computation = own_id;
	if (take(agent, subject.attempt, manifest, &e) < 0) {
		answer(agent, subject, &e);
		return false;
	}
	return true;
}

void agent_manifest_refuse(struct agent *agent, struct postbox_subject subject, const struct err *e)
{
	char text[ERR_TEXT_MAX + 64];

	snprintf(text, sizeof(text), "%s: %s", err_code_name(e->code), e->text);
	agent_say(agent, "WARN", "%s", text);
	postbox_run_response(&agent->postbox, subject, text, agent_notice(agent));
	cvms_flush(agent->cvms);
}
