/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/core/daemon.h"

#include "agent/certificate/ca_client.h"
#include "agent/core/agent.h"
#include "agent/core/agent_listener.h"
#include "agent/core/agent_manifest.h"
#include "agent/core/agent_progress.h"
#include "agent/core/agent_receipt.h"
#include "agent/core/agent_stop.h"
#include "agent/core/cvms.h"
#include "agent/core/separation.h"
#include "agent/core/service.h"
#include "agent/evidence/evidence.h"
#include "agent/jail/jail_seccomp.h"
#include "agent/jail/runner.h"
#include "agent/journal/journal.h"
#include "agent/process/confine.h"
#include "agent/process/filter.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/rpc/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <openssl/crypto.h>

/* ---- what the computation service asks ---- */

static bool on_manifest(void *data, struct postbox_subject subject, const void *bytes, size_t len)
{
	return agent_manifest_take(data, subject, bytes, len);
}

static void on_spoiled(void *data, struct postbox_subject subject, const struct err *e)
{
	agent_manifest_refuse(data, subject, e);
}

static void on_stop(void *data, const char *id)
{
	agent_stop(data, id);
}

static void on_state(void *data, const char *id)
{
	struct agent *agent = data;

	postbox_state_response(&agent->postbox, id, state_name(agent->state));
	cvms_flush(agent->cvms);
}

static void on_token(void *data, const uint8_t *token, size_t len, const struct err *e)
{
	struct agent *agent = data;
	char text[ERR_TEXT_MAX + 64] = "";

	if (e)
		snprintf(text, sizeof(text), "%s: %s", err_code_name(e->code), e->text);
	postbox_evidence(&agent->postbox, token, len, text);
	cvms_flush(agent->cvms);
}

static void on_evidence(void *data, const void *bytes, size_t len, int32_t type)
{
	struct agent *agent = data;
	const struct binding_nonce nonce = { .type = (uint8_t)type, .tee = bytes, .tee_len = len };
	struct err e;

	if (type < 0 || type > UINT8_MAX)
		err_set(&e, ERR_INVALID, "type %d of evidence", (int)type);
	else if (evidence_nonce(agent->evidence, NULL, &nonce, on_token, agent, &e))
		return;
	on_token(agent, NULL, 0, &e);
}

static void on_say(void *data, const char *level, const char *text)
{
	agent_say(data, level, "%s", text);
}

static const Cvms__ClientStreamMessage *on_progress(void *data, bool anew)
{
	return agent_progress_next(data, anew);
}

static const struct cvms_handlers handlers = {
	.manifest = on_manifest,
	.spoiled = on_spoiled,
	.stop = on_stop,
	.state = on_state,
	.evidence = on_evidence,
	.say = on_say,
	.progress = on_progress,
};

static void on_journal_ready(void *data)
{
	struct agent *agent = data;

	cvms_flush(agent->cvms);
}

static int call_service(struct agent *agent, const struct cvms_certificate *issued, struct err *e)
{
	const struct cvms_options options = { .loop = agent->loop,
					      .config = agent->config,
					      .postbox = &agent->postbox,
					      .journal = agent->journal,
					      .handlers = &handlers,
					      .data = agent };

	return cvms_start(&options, issued, &agent->cvms, e);
}

/* ---- the boot ---- */

static void end_fatally(struct agent *agent, const struct err *e)
{
	if (agent->shutting_down || agent->fatal.code != ERR_OK)
		return;
	agent->fatal = *e;
	uv_stop(agent->loop);
}

/* ---- the agent's certificate ---- */

static void on_certificate(void *data, const struct ca_issued *issued)
{
	struct agent *agent = data;
	const struct cvms_certificate certificate = { issued->chain_pem, issued->key };
	struct err e;

	if (agent->cvms) {
		if (cvms_go_over(agent->cvms, &certificate, &e) < 0)
			log_error("the next certificate: %s", e.text);
	} else if (call_service(agent, &certificate, &e) < 0) {
		end_fatally(agent, &e);
	}
}

static void on_certificate_refused(void *data, const struct err *e)
{
	struct err why = *e;

	err_wrap(&why, "AGENT_CVM_CA_URL: there is no certificate for this agent");
	end_fatally(data, &why);
}

static const struct ca_client_events certificate_events = {
	.have = on_certificate,
	.refused = on_certificate_refused,
	.say = on_say,
};

/* The service is called once there is a certificate for it. */
static int ask_authority(struct agent *agent, struct err *e)
{
	const struct config *config = agent->config;
	struct ca_place place;
	const enum evidence_kind platform = keeper_facts(agent->keeper)->platform;
	const struct ca_client_options options = {
		.loop = agent->loop,
		.place = &place,
		.evidence = platform == EVIDENCE_NONE ? NULL : agent->evidence,
		.evidence_type = (uint8_t)evidence_kind_rows[platform].type,
		.identity = agent->own.key,
		.spki = { agent->own.spki, agent->own.spki_len },
		.ca = config_pem(config, config->cvm_ca),
		.timeout_ms = (unsigned)config->cvm_timeout_ms,
		.events = &certificate_events,
		.data = agent
	};
	int failed = ca_place_read(config->ca_url, config->certs_token, config->cvm_id, &place, e);

	if (!failed)
		failed = ca_client_start(&options, &agent->ca, e);
	ca_place_wipe(&place);
	return failed;
}

static int call_out(struct agent *agent, struct err *e)
{
	return agent->config->ca_url ? ask_authority(agent, e) : call_service(agent, NULL, e);
}

static void on_keeper_death(void *data)
{
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, "the keeper ended by itself");
	end_fatally(data, &e);
}

static void on_boot_measured(void *data, bool measured, const struct err *e)
{
	struct agent *agent = data;
	struct err why;

	if (e) {
		why = *e;
		err_wrap(&why, "measure the boot configuration");
		end_fatally(agent, &why);
		return;
	}
	if (keeper_facts(agent->keeper)->fixed)
		log_info("the boot configuration is the one that was fixed at launch");
	if (!measured && !agent->config->options.development) {
		err_set(&why, ERR_INTERNAL, "the boot configuration was not measured");
		end_fatally(agent, &why);
		return;
	}
	if (state_step(&agent->state, EVENT_BOOTED, &why) < 0 || call_out(agent, &why) < 0) {
		end_fatally(agent, &why);
		return;
	}
	log_notify("READY=1");
}

static void on_identity_told(void *data, bool measured, const struct err *e)
{
	struct agent *agent = data;
	uint8_t *bytes = NULL;
	size_t len = 0;
	struct err why;

	if (e) {
		why = *e;
		err_wrap(&why, "tell the keeper the identity");
		end_fatally(agent, &why);
		return;
	}
	if (bootconfig_canonical(&agent->config->boot, &bytes, &len, &why) < 0 ||
	    keeper_measure(agent->keeper, KEEPER_EVENT_BOOT, bytes, len, on_boot_measured, agent,
			   &why) < 0)
		end_fatally(agent, &why);
	if (bytes)
		OPENSSL_cleanse(bytes, len);
	free(bytes);
}

static void on_keeper_checked(void *data, bool measured, const struct err *e)
{
	struct agent *agent = data;
	struct err why;

	if (e) {
		why = *e;
		err_wrap(&why, "check TEE and TPM");
		end_fatally(agent, &why);
		return;
	}
	if (keeper_facts(agent->keeper)->platform == EVIDENCE_NONE)
		log_warn("platform NoCC: NOTHING IS MEASURED and there is NO EVIDENCE of this "
			 "agent; attested TLS is refused");
	if (keeper_identity(agent->keeper, agent->own.spki, agent->own.spki_len, on_identity_told,
			    agent, &why) < 0)
		end_fatally(agent, &why);
}

static int lock_work(struct agent *agent, const char *work, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(close) int fd = -1;
	int failed = dir_make(work, 0711, e);

	if (!failed)
		failed = text_format(&path, e, "%s/lock", work);
	if (failed)
		return failed;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, "open '%s'", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(e, ERR_EXISTS, "--work '%s' is in use by another agent",
					 work)
			       : err_errno(e, "lock '%s'", path);
	agent->lock = TAKE_FD(fd);
	return 0;
}

static int start_keeper(struct agent *agent, struct err *e)
{
	const struct config_options *o = &agent->config->options;
	const struct keeper_options options = { .tcti = o->tcti,
						.tsm = o->tsm,
						.securityfs = o->securityfs,
						.development = o->development,
						.vmpl = (unsigned int)agent->config->vmpl,
						.sock = o->keeper };
	int failed = keeper_start(agent->loop, &options, &agent->keeper, e);

	if (failed)
		return failed;
	keeper_on_death(agent->keeper, on_keeper_death, agent);
	if (journal_new(agent->loop, agent->keeper, on_journal_ready, agent, &agent->journal, e) <
	    0)
		return err_code(e);
	return keeper_check(agent->keeper, on_keeper_checked, agent, e);
}

/* Before the first private key. */
static int lock_keys(struct err *e)
{
	int failed = confine_keys(e);

	if (failed > 0)
		log_warn("no memory can be locked here (see ulimit -l): private keys might be "
			 "written to a swap device");
	return failed < 0 ? failed : 0;
}

/* Before the loop runs: these are files of the image. */
static int look_for_python(struct agent *agent, struct err *e)
{
	struct err none;

	if (python_env_find(NULL, "", &agent->python, &none) < 0) {
		log_info("python algorithms can't be run: %s", none.text);
		agent->python.target.minor = 0;
		return 0;
	}
	return python_packages_list(&agent->python, &agent->packages, e);
}

static int start(struct agent *agent, uv_loop_t *loop, const struct config *config, struct err *e)
{
	const char *work = config->options.work_dir;
	int failed;

	*agent = (struct agent){ .loop = loop, .config = config, .lock = -1 };
	uploads_init(&agent->uploads, &(struct uploads_config){
					      .loop = loop,
					      .asset_max = config->asset_max,
					      .pip_index_url = config->pip_index_url,
					      .role_signature = config->role_signature,
					      .challenges = &agent->challenges,
					      .callbacks = &service_upload_callbacks,
					      .data = agent,
				      });
	failed = lock_work(agent, work, e);
	if (!failed)
		failed = text_format(&agent->dir, e, "%s/computation", work);
	if (!failed)
		failed = dir_remove(agent->dir, e);
	if (!failed)
		failed = retained_init(&agent->uploads.retained, work, e);
	if (!failed)
		failed = lock_keys(e);
	if (!failed)
		failed = identity_make(&agent->own, e);
	if (!failed)
		failed = start_keeper(agent, e);
	if (!failed)
		failed = look_for_python(agent, e);
	if (!failed) /* the keeper needs more until it has its devices; there is one thread yet */
		failed = confine_rights(separation_rights, separation_rights, e);
	if (!failed)
		failed = jail_seccomp_load_outside(e);
	if (!failed)
		failed = evidence_new(loop, agent->keeper, agent->own.key, &agent->evidence, e);
	if (agent_notice(agent)[0])
		log_warn("%s", agent_notice(agent));
	return failed;
}

/* ---- the end ---- */

/* Ends everything: run, listener, link, keeper. The loop runs on until nothing is left. */
static void shut_down(struct agent *agent)
{
	agent->shutting_down = true;
	log_notify("STOPPING=1");
	if (agent->runner)
		runner_free(TAKE_PTR(agent->runner));
	uploads_close(&agent->uploads, "the agent is shutting down");
	agent_listener_close(TAKE_PTR(agent->listener), "the agent is shutting down");
	ca_client_free(TAKE_PTR(agent->ca));
	if (agent->cvms)
		cvms_free(TAKE_PTR(agent->cvms));
	evidence_free(TAKE_PTR(agent->evidence));
	if (agent->keeper)
		keeper_free(TAKE_PTR(agent->keeper));
	journal_free(TAKE_PTR(agent->journal));
	if (agent->computation) {
		computation_end(agent->computation);
		uploads_drop_kept(agent->computation);
	}
	if (agent->incoming)
		computation_end(agent->incoming);
}

static void done(struct agent *agent)
{
	CLEANUP(free) char *lock = NULL;
	struct err e;

	agent_receipt_abandon(agent);
	agent_proof_done(&agent->proof);
	challenges_end(&agent->challenges);
	computation_unref(TAKE_PTR(agent->computation));
	computation_unref(TAKE_PTR(agent->incoming));
	python_packages_done(&agent->packages);
	postbox_done(&agent->postbox);
	agent_progress_free(agent);
	free(agent->statement);
	identity_done(&agent->own);
	identity_done(&agent->external);
	if (agent->lock >= 0) {
		if (agent->dir && dir_remove(agent->dir, &e) < 0)
			log_error("leftovers: %s", e.text);
		retained_done(&agent->uploads.retained);
		if (text_format(&lock, &e, "%s/lock", agent->config->options.work_dir) == 0)
			unlink(lock);
		close(agent->lock);
	}
	free(agent->dir);
}

static void on_signal(void *data, int number)
{
	log_info("signal %d: shutting down", number);
	uv_stop(data);
}

/* What is left of handles and jobs ends by itself once all is shut down. */
static void run_out(uv_loop_t *loop)
{
	while (uv_run(loop, UV_RUN_DEFAULT))
		continue;
}

int daemon_run(const struct config *config, struct err *e)
{
	struct agent *agent = calloc(1, sizeof(*agent));
	struct signals signals;
	uv_loop_t loop;
	int failed;

	if (!agent)
		return err_nomem(e);
	if (filter_rings(e) < 0) {
		free(agent);
		return err_code(e);
	}
	if (uv_loop_init(&loop) != 0) {
		free(agent);
		return err_set(e, ERR_INTERNAL, "no event loop");
	}
	signals_start(&signals, &loop, on_signal, &loop);
	failed = start(agent, &loop, config, e);
	if (!failed)
		uv_run(&loop, UV_RUN_DEFAULT);
	shut_down(agent);
	signals_unref(&signals);
	run_out(&loop);
	done(agent);
	signals_done(&signals);
	if (uv_loop_close(&loop) != 0)
		log_warn("the loop was not empty at the end");
	if (!failed && agent->fatal.code != ERR_OK) {
		*e = agent->fatal;
		failed = err_code(e);
	}
	free(agent);
	return failed;
}
