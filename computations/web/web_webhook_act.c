/* SPDX-License-Identifier: Apache-2.0 */
/* web_webhook_act.c — what changes the webhooks of a workspace (web_webhook.c). */
#include "common/base/json.h"
#include "computations/hook/hook.h"
#include "computations/hook/hook_event.h"
#include "computations/web/web_act.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_page.h"
#include "computations/web/web_webhook.h"
#include "computations/web/web_words.h"
#include "webhooks.pb-c.h"
#include "webhooks_paths.h"

#include <stdint.h>
#include <string.h>

/* The secret, for this once. */
static void reply_page(struct web_act *act, const ProtobufCMessage *answer)
{
	const Webhooks__NewWebhook *m = (const Webhooks__NewWebhook *)answer;
	const char *place = http_request_param(act->r, "workspace");
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_PAGE_MAX);

	page_begin(&w, NULL, "Webhook", "");
	page_put(
		&w,
		"<nav class=\"crumbs\" aria-label=\"Breadcrumb\"><a href=\"/w/%u/webhooks\"><bdi>%t"
		"</bdi></a> /</nav>\n<section class=\"panel gate\" aria-labelledby=\"gate\"><h1 "
		"id=\"gate\">The secret of webhook %d</h1>\n<p>%t</p>\n<div class=\"cmd plain\"><pre "
		"id=\"secret\" tabindex=\"0\" role=\"region\" aria-label=\"Secret\"><code>%t</code>"
		"</pre><button class=\"btn quiet\" type=\"button\" data-copy=\"secret\">Copy<span "
		"class=\"sr\"> the secret</span></button></div>\n<p><a class=\"btn\" "
		"href=\"/w/%u/webhooks/%d\">Its receiver has it</a></p>\n</section>\n",
		place, place, (int64_t)m->webhook->number, WEB_HOOK_ONCE, m->secret, place,
		(int64_t)m->webhook->number);
	page_end(&w);
	web_reply_html(act->r, &w, 200);
}

static void put_made(const ProtobufCMessage *answer, struct writer *w)
{
	const Webhooks__NewWebhook *m = (const Webhooks__NewWebhook *)answer;

	writer_printf(w, "{\"number\":%llu", (unsigned long long)m->webhook->number);
	json_put_key(w, "secret");
	json_quote(w, m->secret, strlen(m->secret));
	writer_text(w, "}\n");
}

static void reply_made(struct web_act *act, const ProtobufCMessage *answer)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_BODY_MAX);

	put_made(answer, &w);
	web_reply_made(act->r, &w);
}

static void reply_secret(struct web_act *act, const ProtobufCMessage *answer)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WEB_BODY_MAX);

	put_made(answer, &w);
	web_reply_json(act->r, &w);
}

#define A_PLACE "a workspace's name"
#define A_HOOK  "a webhook's number"
#define OF_HOOKS(path, message_) \
	.method = PROTO_WEBHOOKS_##path, .request = &webhooks__##message_##__descriptor
#define NUMBER(name_, message, member, meaning_) \
	{ .name = name_,                         \
	  .kind = INPUT_U64,                     \
	  .place = INPUT_PATH,                   \
	  .is_needed = true,                     \
	  .most = INT64_MAX,                     \
	  .at = offsetof(message, member),       \
	  .meaning = (meaning_) }

static const struct web_input wanted[] = {
	PATH("workspace", Webhooks__CreateRequest, workspace, A_PLACE),
	LINE("url", true, Webhooks__CreateRequest, url, HOOK_URL_MAX, "https://HOST[:PORT][/PATH]"),
	LINE("description", false, Webhooks__CreateRequest, description, HOOK_DESCRIPTION_MAX,
	     "for people"),
	{ .name = "events",
	  .kind = INPUT_ACTIONS,
	  .word = hook_event_name,
	  .at = offsetof(Webhooks__CreateRequest, events),
	  .count = offsetof(Webhooks__CreateRequest, n_events),
	  .meaning = "what it is told of; without: everything" },
	END,
};

static const struct web_input one[] = {
	PATH("workspace", Webhooks__WebhookRequest, workspace, A_PLACE),
	NUMBER("number", Webhooks__WebhookRequest, number, A_HOOK),
	END,
};

static const struct web_input delivery[] = {
	PATH("workspace", Webhooks__RedeliverRequest, workspace, A_PLACE),
	NUMBER("number", Webhooks__RedeliverRequest, number, A_HOOK),
	NUMBER("delivery", Webhooks__RedeliverRequest, delivery, "a delivery's number"),
	END,
};

/* A webhook is what it was when it was made, but for being enabled: there is nothing that somebody else could have changed. */
ACTION(web_page_webhook) = { OF_HOOKS(CREATE, create_request), .inputs = wanted,
			     .reply = reply_page };
ACTION(web_page_webhook_enable) = { OF_HOOKS(ENABLE, webhook_request), .inputs = one,
				    .leads = "/w/%u/webhooks" };
ACTION(web_page_webhook_disable) = { OF_HOOKS(DISABLE, webhook_request), .inputs = one,
				     .leads = "/w/%u/webhooks" };
ACTION(web_page_webhook_rotate) = { OF_HOOKS(ROTATE, webhook_request), .inputs = one,
				    .reply = reply_page };
ACTION(web_page_webhook_delete) = { OF_HOOKS(DELETE, webhook_request), .inputs = one,
				    .leads = "/w/%u/webhooks" };
ACTION(web_page_redeliver) = { OF_HOOKS(REDELIVER, redeliver_request), .inputs = delivery,
			       .leads = "/w/%u/webhooks" };
ACTION(web_api_webhook) = {
	OF_HOOKS(CREATE, create_request), .inputs = wanted,   .reply = reply_made,
	.tells = NOUN_NEW_WEBHOOK,        .secret = "secret", .makes = true
};
ACTION(web_api_webhook_enable) = { OF_HOOKS(ENABLE, webhook_request), .inputs = one };
ACTION(web_api_webhook_disable) = { OF_HOOKS(DISABLE, webhook_request), .inputs = one };
ACTION(web_api_webhook_rotate) = { OF_HOOKS(ROTATE, webhook_request), .inputs = one,
				   .reply = reply_secret, .tells = NOUN_NEW_WEBHOOK };
ACTION(web_api_webhook_delete) = { OF_HOOKS(DELETE, webhook_request), .inputs = one };
ACTION(web_api_redeliver) = { OF_HOOKS(REDELIVER, redeliver_request), .inputs = delivery };
