/* SPDX-License-Identifier: Apache-2.0 */
/* web_billing_act.c — what changes accounts that pay for workspaces (web_billing.c). */
#include "billing.pb-c.h"
#include "billing_paths.h"
#include "computations/web/web_action_row.h"
#include "computations/web/web_billing.h"

#define AN_ACCOUNT "an account's name"
#define A_PLAN     "a plan's name, as COMPUTATIONS_MANAGERS has it"
#define A_PLACE    "a workspace's name"
#define OF_BILLING(path, message_) \
	.method = PROTO_BILLING_##path, .request = &billing__##message_##__descriptor

static const struct web_input made[] = {
	NEEDED("account", Billing__CreateRequest, name, AN_ACCOUNT),
	NEEDED("plan", Billing__CreateRequest, plan, A_PLAN),
	END,
};
static const struct web_input made_of_api[] = {
	PATH_WORD("account", Billing__CreateRequest, name, WEB_NAME_PATTERN, AN_ACCOUNT),
	NEEDED("plan", Billing__CreateRequest, plan, A_PLAN),
	END,
};
static const struct web_input plan[] = {
	PATH("account", Billing__SetPlanRequest, name, AN_ACCOUNT),
	NEEDED("plan", Billing__SetPlanRequest, plan, A_PLAN),
	END,
};
static const struct web_input given[] = {
	PATH("account", Billing__PlaceRequest, name, AN_ACCOUNT),
	NEEDED("workspace", Billing__PlaceRequest, workspace, A_PLACE),
	END,
};
static const struct web_input place[] = {
	PATH("account", Billing__PlaceRequest, name, AN_ACCOUNT),
	PATH("workspace", Billing__PlaceRequest, workspace, A_PLACE),
	END,
};
static const struct web_input one[] = {
	PATH("account", Billing__AccountRequest, name, AN_ACCOUNT),
	END,
};

ACTION(web_page_billing) = { OF_BILLING(CREATE, create_request), .inputs = made,
			     .leads = "/billing" };
ACTION(web_page_billing_plan) = { OF_BILLING(SET_PLAN, set_plan_request), .inputs = plan,
				  .leads = "/billing/%u" };
ACTION(web_page_billing_give) = { OF_BILLING(GIVE, place_request), .inputs = given,
				  .leads = "/billing/%u" };
ACTION(web_page_billing_take) = { OF_BILLING(TAKE, place_request), .inputs = place,
				  .leads = "/billing/%u" };
ACTION(web_page_billing_remove) = { OF_BILLING(REMOVE, account_request), .inputs = one,
				    .leads = "/billing" };
ACTION(web_api_billing) = { OF_BILLING(CREATE, create_request), .inputs = made_of_api,
			    .answer = web_billing_one_json, .tells = NOUN_ACCOUNT };
ACTION(web_api_billing_plan) = { OF_BILLING(SET_PLAN, set_plan_request), .inputs = plan,
				 .answer = web_billing_one_json, .tells = NOUN_ACCOUNT };
ACTION(web_api_billing_give) = { OF_BILLING(GIVE, place_request), .inputs = place,
				 .answer = web_billing_one_json, .tells = NOUN_ACCOUNT };
ACTION(web_api_billing_take) = { OF_BILLING(TAKE, place_request), .inputs = place,
				 .answer = web_billing_one_json, .tells = NOUN_ACCOUNT };
ACTION(web_api_billing_remove) = { OF_BILLING(REMOVE, account_request), .inputs = one };
