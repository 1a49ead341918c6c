/* SPDX-License-Identifier: Apache-2.0 */
#include "computations.pb-c.h"
#include "computations/people/token.h"
#include "computations/web/web_action_row.h"
#include "computations_paths.h"
#include "people.pb-c.h"
#include "people_paths.h"

#define AN_ID   "a computation's id"
#define A_CVM   "a CVM's id"
#define A_ROLE  "a role's name"
#define A_USER  "a user's name"
#define A_TOKEN "a token's name, of yours"

static const struct web_input stop[] = {
	PATH("id", Computations__ComputationRequest, id, AN_ID),
	END,
};

static const struct web_input discard[] = {
	PATH("id", Computations__RemoveRequest, id, AN_ID),
	{ .name = "force",
	  .kind = INPUT_FLAG,
	  .place = INPUT_QUERY,
	  .at = offsetof(Computations__RemoveRequest, force),
	  .meaning = "true: although its CVM has not confirmed the stop" },
	END,
};

static const struct web_input release[] = {
	PATH("cvm", Computations__CvmRequest, id, A_CVM),
	END,
};

static const struct web_input member_of_form[] = {
	PATH("id", People__MemberRequest, computation_id, AN_ID),
	NEEDED("role", People__MemberRequest, role, A_ROLE),
	NEEDED("user", People__MemberRequest, user, A_USER),
	END,
};

static const struct web_input member[] = {
	PATH("id", People__MemberRequest, computation_id, AN_ID),
	PATH("role", People__MemberRequest, role, A_ROLE),
	PATH("user", People__MemberRequest, user, A_USER),
	END,
};

const struct web_input web_input_token[] = {
	WORD("name", true, People__AddTokenRequest, name, WEB_NAME_PATTERN, A_TOKEN),
	{ .name = "days",
	  .kind = INPUT_U32,
	  .most = TOKEN_DAYS_MAX,
	  .at = offsetof(People__AddTokenRequest, days),
	  .meaning = "until it ends, at most as long as what you show; without: 90" },
	SET("actions", People__AddTokenRequest, actions, "what it is for; without: everything"),
	END,
};

const struct web_input web_input_join[] = {
	PATH("secret", People__TakeInvitationRequest, secret, "the end of an invitation's link"),
	END,
};

const struct web_input web_input_join_api[] = {
	NEEDED("secret", People__TakeInvitationRequest, secret, "the end of an invitation's link"),
	END,
};

static const struct web_input unwanted[] = {
	PATH("name", People__TokenRequest, name, A_TOKEN),
	END,
};

static const struct web_input end[] = {
	{ .name = "number",
	  .kind = INPUT_U64,
	  .place = INPUT_PATH,
	  .is_needed = true,
	  .most = INT64_MAX,
	  .at = offsetof(People__SessionRequest, number),
	  .meaning = "a session's number, of yours" },
	END,
};

static const struct web_input nothing[] = { END };

ACTION(web_page_stop) = { OF_COMPUTATIONS(STOP, computation_request), .inputs = stop,
			  .revises = REVISES_COMPUTATION, .leads = "/c/%u" };
ACTION(web_page_remove) = { OF_COMPUTATIONS(REMOVE, remove_request), .inputs = discard,
			    .revises = REVISES_COMPUTATION, .leads = "/" };
ACTION(web_page_release) = { OF_COMPUTATIONS(RELEASE_CVM, cvm_request), .inputs = release,
			     .revises = REVISES_CVM, .leads = "/cvms/%u" };
ACTION(web_page_give) = { OF_PEOPLE(GIVE_ROLE, member_request), .inputs = member_of_form,
			  .revises = REVISES_ROLES, .leads = "/c/%u/roles" };
ACTION(web_page_take) = { OF_PEOPLE(TAKE_ROLE, member_request), .inputs = member_of_form,
			  .revises = REVISES_ROLES, .leads = "/c/%u/roles" };
ACTION(web_page_end) = { OF_PEOPLE(END_SESSION, session_request), .inputs = end, .leads = "/me" };
ACTION(web_page_end_others) = { OF_PEOPLE(END_SESSION, session_request), .inputs = nothing,
				.leads = "/me" };
ACTION(web_page_revoke) = { OF_PEOPLE(REVOKE_TOKEN, token_request), .inputs = unwanted,
			    .leads = "/me" };
ACTION(web_api_stop) = { OF_COMPUTATIONS(STOP, computation_request), .inputs = stop,
			 .revises = REVISES_COMPUTATION, .answer = web_one_json,
			 .tells = NOUN_COMPUTATION };
ACTION(web_api_remove) = { OF_COMPUTATIONS(REMOVE, remove_request), .inputs = discard,
			   .revises = REVISES_COMPUTATION };
ACTION(web_api_release) = { OF_COMPUTATIONS(RELEASE_CVM, cvm_request), .inputs = release,
			    .revises = REVISES_CVM, .answer = web_cvm_json, .tells = NOUN_CVM };
ACTION(web_api_give) = { OF_PEOPLE(GIVE_ROLE, member_request), .inputs = member,
			 .revises = REVISES_ROLES };
ACTION(web_api_take) = { OF_PEOPLE(TAKE_ROLE, member_request), .inputs = member,
			 .revises = REVISES_ROLES };
ACTION(web_api_end) = { OF_PEOPLE(END_SESSION, session_request), .inputs = end };
ACTION(web_api_revoke) = { OF_PEOPLE(REVOKE_TOKEN, token_request), .inputs = unwanted };
