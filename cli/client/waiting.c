/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/waiting.h"

#include "cli/base/interrupt.h"
#include "cli/base/text.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/settings.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int read_duration(const struct cli *cli, const char *name, uint64_t *ms, struct err *e)
{
	const char *text = cli_value(cli, name);

	if (!text)
		return 0;
	if (duration_parse(text, ms, e) < 0)
		return err_wrap(e, "--%s", name);
	if (*ms < WAITING_MIN_MS || *ms > WAITING_MAX_MS)
		return err_set(e, ERR_INVALID, "--%s=%s: give 1s to 720h", name,
			       log_quote(text).text);
	return 0;
}

int waiting_limit(const struct cli *cli, uint64_t *limit_ms, struct err *e)
{
	*limit_ms = cli_flag(cli, "wait") ? WAITING_DEFAULT_MS : 0;
	return read_duration(cli, "wait", limit_ms, e);
}

int waiting_grace(const struct cli *cli, uint64_t *grace_ms, struct err *e)
{
	*grace_ms = WAITING_GRACE_MS;
	return read_duration(cli, "grace", grace_ms, e);
}

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static const char *clock_text(int64_t ms, char text[16])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm local;

	snprintf(text, 16, "?");
	if (localtime_r(&seconds, &local))
		strftime(text, 16, "%H:%M:%S", &local);
	return text;
}

/* Is nobody there yet, or is the one that answered busy or gone? One that speaks something else, or does
 * not prove itself, is not what was waited for, and does not become so. */
static bool may_come(const struct client *client, const struct err *e)
{
	const struct rpc_attempt *attempt = rpc_channel_attempt(client->channel);

	if (ferror(client->cli->out))
		return false;
	/* The last of them: of a call that a server ends with itself. */
	if (e->code == ERR_DEADLINE || e->code == ERR_EXHAUSTED || e->code == ERR_CANCELLED)
		return true;
	if (e->code != ERR_UNAVAILABLE)
		return false;
	if (client->socket && access(client->socket, W_OK) < 0 && errno == EACCES)
		return false;
	return !attempt->failed || attempt->contact == RPC_CONTACT_SILENT;
}

static void tell(struct waiting *w, const char *why)
{
	char limit[DURATION_TEXT_MAX], since[16], moment[32];

	if (strcmp(w->why, why) == 0)
		return;
	snprintf(w->why, sizeof(w->why), "%s", why);
	if (!*why)
		return;
	duration_text(w->limit_ms, limit);
	snprintf(moment, sizeof(moment), "since %s", clock_text(w->since, since));
	fprintf(stderr, "waiting %s, at most %s, until %s: %s\n", moment, limit, w->until,
		text_plain(why).text);
}

static void on_timer(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
}

/* The connection lives meanwhile: pings are answered. */
static void rest(struct client *client, uint64_t ms)
{
	uv_timer_t timer;

	uv_timer_init(client->loop, &timer);
	uv_update_time(client->loop);
	uv_timer_start(&timer, on_timer, ms, 0);
	while (!uv_is_closing((uv_handle_t *)&timer))
		uv_run(client->loop, UV_RUN_ONCE);
	uv_run(client->loop, UV_RUN_NOWAIT); /* the close itself */
}

/* Is there a remedy that was seen too often in a row? A new one is told. */
static bool is_stuck(struct waiting *w, const struct err *e)
{
	struct cli *cli = w->client->cli;

	cli->hint[0] = 0;
	if (e->code != ERR_UNAVAILABLE || rpc_channel_is_ready(w->client->channel) ||
	    !client_hint_contact(w->client, e)) {
		w->same = 0;
		return false;
	}
	if (strcmp(w->remedy, cli->hint) != 0) {
		fprintf(stderr, "hint: %s\n", cli->hint);
		memcpy(w->remedy, cli->hint, sizeof(w->remedy));
		w->same = 0;
	}
	return ++w->same == WAITING_SAME_MAX;
}

static int is_over(struct waiting *w, struct err *e)
{
	char limit[DURATION_TEXT_MAX];

	duration_text(w->limit_ms, limit);
	cli_hint(w->client->cli, "%s",
		 w->same ? w->remedy
			 : "--wait=DURATION says how long it may take; nothing has changed");
	return err_set(e, ERR_DEADLINE, "waited %s until %s%s%s", limit, w->until,
		       *w->why ? ": " : "", w->why);
}

/* It was there, and nobody is now. */
static bool is_away(const struct waiting *w, int found, const struct err *e)
{
	return found < 0 && w->gone && w->answered && !rpc_channel_is_ready(w->client->channel) &&
	       (e->code == ERR_UNAVAILABLE || e->code == ERR_DEADLINE || e->code == ERR_CANCELLED);
}

static int is_gone(const struct waiting *w, struct err *e)
{
	char grace[DURATION_TEXT_MAX], last[16];
	const struct err why = *e;

	duration_text(w->grace_ms, grace);
	clock_text((int64_t)clock_ms(CLOCK_REALTIME) - (int64_t)(now_ms() - w->answered), last);
	cli_hint(w->client->cli, "%s; --grace=DURATION waits longer for its return", w->gone);
	return err_set(e, ERR_UNAVAILABLE,
		       "waited until %s: it has not answered since %s, nor within %s more (%.256s)",
		       w->until, last, grace, why.text);
}

/* Where nobody answers. */
static void say_silent(const struct waiting *w, bool away, const struct err *e,
		       char why[WAITING_WHY_MAX])
{
	char grace[DURATION_TEXT_MAX];

	duration_text(w->grace_ms, grace);
	if (away)
		snprintf(why, WAITING_WHY_MAX,
			 "it does not answer any more (%.120s), and is given up after %s of that",
			 e->text, grace);
	else
		snprintf(why, WAITING_WHY_MAX, "it does not answer yet (%.200s)", e->text);
}

/* One question, which ends when the waiting does. */
static int ask(struct waiting *w, char why[WAITING_WHY_MAX], struct err *e)
{
	struct client *client = w->client;
	int found;

	client->until_ms = w->end;
	rpc_channel_connect_within(client->channel, client_timeout(client));
	found = w->look(w->data, why, e);
	client->until_ms = 0;
	rpc_channel_connect_within(client->channel, client->timeout_ms);
	if (w->gone && client->has_manifest &&
	    (found >= 0 || rpc_channel_is_ready(client->channel)))
		w->answered = now_ms();
	return found;
}

/* Tells what is missing, and rests. False: there is no time left. */
static bool go_on(struct waiting *w, bool silent, const char *why, uint64_t *pause)
{
	bool is_same = strcmp(why, w->why) == 0;
	uint64_t now = now_ms(), left = w->end > now ? w->end - now : 0;

	/* A last question without an answer, which may have had no time for one, says less than what was known. */
	if (left > WAITING_LAST_MS || !silent || !*w->why)
		tell(w, why);
	if (left <= WAITING_LAST_MS)
		return false;
	if (!is_same)
		*pause = WAITING_POLL_FIRST_MS;
	if (*pause > left - WAITING_LAST_MS)
		*pause = left - WAITING_LAST_MS;
	rest(w->client, *pause);
	*pause = 2 * *pause < WAITING_POLL_MAX_MS ? 2 * *pause : WAITING_POLL_MAX_MS;
	return true;
}

/* Somebody else says that it will not come: why it is not there now is beside the point then. */
static bool is_vain(const struct waiting *w, struct err *e)
{
	struct err never;

	if (!w->still || w->still(w->data, w->end, &never) == 0)
		return false;
	w->client->cli->hint[0] = 0;
	*e = never;
	return true;
}

static int look_until(struct waiting *w, struct err *e)
{
	const uint64_t limit = now_ms() + w->limit_ms;
	uint64_t pause = WAITING_POLL_FIRST_MS;

	w->end = limit;
	for (;;) {
		char why[WAITING_WHY_MAX] = "";
		int found = ask(w, why, e);
		bool away;

		if (found > 0)
			return 0;
		if (found < 0 && !may_come(w->client, e))
			return err_code(e);
		if (is_vain(w, e))
			return err_code(e);
		if (found < 0 && !w->answered && is_stuck(w, e))
			return err_wrap(e, "%u times in a row", w->same);
		if (found == 0)
			w->same = 0;
		w->client->cli->hint[0] = 0; /* of what is not the end of it */
		away = is_away(w, found, e);
		if (!away)
			w->away = 0;
		else if (!w->away)
			w->away = now_ms();
		w->end = away && w->away + w->grace_ms < limit ? w->away + w->grace_ms : limit;
		if (found < 0)
			say_silent(w, away, e, why);
		if (!go_on(w, found < 0, why, &pause))
			return w->end < limit ? is_gone(w, e) : is_over(w, e);
	}
}

int waiting_run(struct waiting *w, struct err *e)
{
	int failed;

	if (cli_option_of(w->client->cli->command, "wait") &&
	    waiting_limit(w->client->cli, &w->limit_ms, e) < 0)
		return err_code(e);
	if (!w->limit_ms && !w->always)
		return 0;
	if (w->gone && waiting_grace(w->client->cli, &w->grace_ms, e) < 0)
		return err_code(e);
	if (!w->limit_ms)
		w->limit_ms = WAITING_DEFAULT_MS;
	w->since = (int64_t)clock_ms(CLOCK_REALTIME);
	interrupt_say("stopped waiting until %s: %s; %s", w->until, w->kept,
		      w->again ? w->again : "the same command waits again");
	failed = look_until(w, e);
	interrupt_clear();
	return failed;
}
