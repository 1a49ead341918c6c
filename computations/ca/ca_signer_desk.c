/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_signer_desk.h"

#include "common/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <openssl/err.h>
#include <openssl/evp.h>

enum phase {
	DESK_IDLE,
	DESK_ASKED,
	DESK_BUSY, /* the thread is with the device */
	DESK_DONE, /* and back; whoever asked has not looked yet */
};

struct ca_signer_desk {
	const struct ca_signer_kind *kind;
	void *state; /* the thread's */
	EVP_PKEY *public;
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t wake; /* for all of them */
	enum phase phase;
	bool is_given_up; /* nobody waits for what is done */
	bool is_resting;  /* no connection is open */
	bool is_left;     /* nobody will ask any more */
	bool is_alone;    /* nor wait for the thread's end: it frees all */
	struct ca_signing what;
	uint8_t sig[CA_SIGNATURE_MAX];
	size_t len;
	struct err result;
	struct err trouble; /* ERR_OK: none */
};

static struct timespec in_ms(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000L) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000L;
	}
	return t;
}

static void desk_free(struct ca_signer_desk *d)
{
	d->kind->close(d->state);
	EVP_PKEY_free(d->public);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

/* Said once each time that it changes. */
static void note(struct ca_signer_desk *d, const struct err *now)
{
	if (now->code != ERR_OK && strcmp(now->text, d->trouble.text) != 0)
		log_error("the authority's key does not sign: %s", now->text);
	else if (now->code == ERR_OK && d->trouble.code != ERR_OK)
		log_info("the authority's key signs again");
	d->trouble = *now;
	if (now->code == ERR_OK)
		d->trouble.text[0] = 0;
}

/* ---- the thread ---- */

/* The lock is open meanwhile. */
static void rest(struct ca_signer_desk *d)
{
	d->phase = DESK_BUSY;
	pthread_mutex_unlock(&d->lock);
	d->kind->rest(d->state);
	pthread_mutex_lock(&d->lock);
	d->phase = DESK_IDLE;
	d->is_resting = true;
	pthread_cond_broadcast(&d->wake);
}

/* Until somebody asks, or it is time to look whether the device is back. One that nobody asks for a while is let go. */
static void wait_for_work(struct ca_signer_desk *d)
{
	while (d->phase != DESK_ASKED && !d->is_left) {
		const bool is_well = d->trouble.code == ERR_OK;
		const struct timespec until =
			in_ms(is_well ? CA_SIGNER_IDLE_MS : CA_SIGNER_RETRY_MS);

		if (is_well && d->is_resting) {
			pthread_cond_wait(&d->wake, &d->lock);
			continue;
		}
		if (pthread_cond_timedwait(&d->wake, &d->lock, &until) != ETIMEDOUT ||
		    d->phase != DESK_IDLE)
			continue;
		if (d->trouble.code != ERR_OK)
			return;
		rest(d);
	}
}

/* Neither a key of another's name nor a device that errs gets away with it. */
static int check(const struct ca_signer_desk *d, const struct ca_signing *what, const uint8_t *sig,
		 size_t len, struct err *e)
{
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(d->public, NULL);
	int answer;

	if (!ctx || EVP_PKEY_verify_init(ctx) != 1)
		return err_openssl(e, ERR_INTERNAL, "check a signature");
	answer = EVP_PKEY_verify(ctx, sig, len, what->digest, what->digest_len);
	ERR_clear_error();
	return answer == 1 ? 0 : err_set(e, ERR_PRECONDITION, "the key is another certificate's");
}

/* The lock is open meanwhile. */
static void visit(struct ca_signer_desk *d)
{
	const bool is_asked = d->phase == DESK_ASKED;
	struct ca_signing what = d->what;
	struct err result = { .code = ERR_OK };
	uint8_t sig[CA_SIGNATURE_MAX];
	size_t len = 0;

	d->phase = DESK_BUSY;
	d->is_resting = false;
	d->is_given_up = d->is_given_up || !is_asked;
	pthread_mutex_unlock(&d->lock);
	if (d->kind->sign(d->state, &what, sig, &len, &result) == 0 &&
	    check(d, &what, sig, len, &result) == 0)
		result.code = ERR_OK;
	pthread_mutex_lock(&d->lock);
	note(d, &result);
	if (d->is_given_up) {
		d->phase = DESK_IDLE;
	} else {
		d->phase = DESK_DONE;
		d->result = result;
		memcpy(d->sig, sig, len);
		d->len = len;
	}
	d->is_given_up = false;
	pthread_cond_broadcast(&d->wake);
}

static void *run(void *data)
{
	struct ca_signer_desk *d = data;

	pthread_mutex_lock(&d->lock);
	for (;;) {
		wait_for_work(d);
		if (d->is_left)
			break;
		visit(d);
	}
	const bool is_alone = d->is_alone;
	pthread_mutex_unlock(&d->lock);
	if (is_alone)
		desk_free(d);
	return NULL;
}

static int start(struct ca_signer_desk *d, struct err *e)
{
	pthread_condattr_t clock;
	sigset_t all, before;
	int failed;

	pthread_mutex_init(&d->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&d->wake, &clock);
	pthread_condattr_destroy(&clock);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&d->thread, NULL, run, d);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = failed;
	return failed ? err_errno(e, "a thread for the authority's key") : 0;
}

int ca_signer_desk_new(const struct ca_signer_kind *kind, void *state, EVP_PKEY *public,
		       struct ca_signer_desk **desk, struct err *e)
{
	struct ca_signer_desk *d = calloc(1, sizeof(*d));

	if (!d) {
		kind->close(state);
		return err_nomem(e);
	}
	d->kind = kind;
	d->is_resting = true;
	d->state = state;
	EVP_PKEY_up_ref(public);
	d->public = public;
	/* What a look whether the device is back has signed: nobody keeps it. */
	d->what.md = ca_signature_md(public);
	d->what.digest_len = d->what.md ? (size_t)EVP_MD_get_size(d->what.md) : 0;
	if (start(d, e) < 0) {
		desk_free(d);
		return err_code(e);
	}
	*desk = d;
	return 0;
}

void ca_signer_desk_leave(struct ca_signer_desk *d)
{
	const struct timespec until = in_ms(CA_SIGNER_WAIT_MS);

	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->is_left = true;
	d->is_given_up = true;
	pthread_cond_broadcast(&d->wake);
	while (d->phase == DESK_BUSY)
		if (pthread_cond_timedwait(&d->wake, &d->lock, &until) == ETIMEDOUT &&
		    d->phase == DESK_BUSY) {
			d->is_alone = true;
			pthread_detach(d->thread);
			pthread_mutex_unlock(&d->lock);
			return;
		}
	pthread_mutex_unlock(&d->lock);
	pthread_join(d->thread, NULL);
	desk_free(d);
}

/* ---- who asks ---- */

static int too_late(struct ca_signer_desk *d, struct err *e)
{
	(void)err_set(e, ERR_UNAVAILABLE, "its device does not answer: %d s were waited",
		      CA_SIGNER_WAIT_MS / 1000);
	note(d, e);
	return err_code(e);
}

static int ask(struct ca_signer_desk *d, const struct ca_signing *what, struct err *e)
{
	const struct timespec until = in_ms(CA_SIGNER_WAIT_MS);

	/* One behind the other, for as long as one waits. */
	while (d->trouble.code == ERR_OK && d->phase != DESK_IDLE)
		if (pthread_cond_timedwait(&d->wake, &d->lock, &until) == ETIMEDOUT)
			return too_late(d, e);
	if (d->trouble.code != ERR_OK) {
		*e = d->trouble;
		return err_code(e);
	}
	d->what = *what;
	d->is_given_up = false;
	d->phase = DESK_ASKED;
	pthread_cond_broadcast(&d->wake);
	while (d->phase != DESK_DONE)
		if (pthread_cond_timedwait(&d->wake, &d->lock, &until) == ETIMEDOUT &&
		    d->phase != DESK_DONE) {
			d->is_given_up = true;
			return too_late(d, e);
		}
	return 0;
}

int ca_signer_desk_sign(struct ca_signer_desk *d, const struct ca_signing *what,
			uint8_t sig[CA_SIGNATURE_MAX], size_t *len, struct err *e)
{
	int failed;

	pthread_mutex_lock(&d->lock);
	failed = ask(d, what, e);
	if (!failed) {
		if (d->result.code != ERR_OK) {
			*e = d->result;
			failed = err_code(e);
		} else {
			memcpy(sig, d->sig, d->len);
			*len = d->len;
		}
		d->phase = DESK_IDLE;
		pthread_cond_broadcast(&d->wake);
	}
	pthread_mutex_unlock(&d->lock);
	return failed;
}

bool ca_signer_desk_is_well(struct ca_signer_desk *d, struct err *why)
{
	bool is_well;

	pthread_mutex_lock(&d->lock);
	is_well = d->trouble.code == ERR_OK;
	if (!is_well)
		*why = d->trouble;
	pthread_mutex_unlock(&d->lock);
	return is_well;
}
