/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_place.h — what the screens of one workspace have in common. For this folder only.
 */
#pragma once

#include "computations/mail/mail.h"
#include "computations/people/asset.h"
#include "computations/people/invitation.h"
#include "computations/web/web_page.h"
#include "computations/web/web_work.h"

struct web_place {
	struct workspace w;
	struct workspace_member
		members[WEB_ROWS + 1]; /* a page of them, or the one that is shown */
	struct invitation invitations[INVITATIONS_MAX];
	struct mail_row mails[INVITATIONS_MAX]; /* of them */
	size_t invitation_count, mail_count;
	struct asset_row assets[WEB_ROWS + 1]; /* as the members */
	char *links[ASSET_LINKS_SHOWN];        /* of the one */
	size_t link_count;
	bool may_change; /* that one */
	void *more;      /* of a screen, malloc'ed */
};

/* Of run(): the request's workspace, as `work->more`. */
int web_place_find(struct store *store, struct web_work *work, struct err *e) MUST_CHECK;
struct web_place *web_place_of(const struct web_work *work);
/* Whether this reader may do that there, by a form of this page. */
bool web_place_may(const struct web_work *work, enum deed deed);

/* From the doctype on: where this is, and the way to the other screens of the workspace. `here`: "members", "assets". */
void web_place_head(const struct web_work *work, const char *here, struct writer *w);
/* The same of what stands below one of them, which is called `name`. */
void web_place_below(const struct web_work *work, const char *here, const char *name,
		     struct writer *w);
/* Begin and end of a form that changes something there; `what`: the end of its path, after names that are quoted. */
void web_place_form(const struct web_work *work, const char *class, const char *path,
		    struct writer *w);
void web_place_revision(const char *revision, struct writer *w);
/* A select of the roles that a member can have. */
void web_place_roles(struct writer *w, enum membership chosen);

/* web_invite.c: the open invitations, and a form for one more. */
int web_run_invitations(struct store *store, struct web_work *work, struct err *e) MUST_CHECK;
void web_put_invitations(const struct web_work *work, struct writer *w);
void web_put_invite(const struct web_work *work, struct writer *w);

/* web_leave.c: the ways to the pages of what it does. */
void web_put_transfer(const struct web_work *work, struct writer *w);
void web_put_leave(const struct web_work *work, struct writer *w);

/* The rows' handlers. */
void web_workspace_transfer(struct http_request *r, void *data);
void web_workspace_leave(struct http_request *r, void *data);
void web_workspaces(struct http_request *r, void *data);
void web_workspaces_json(struct http_request *r, void *data);
void web_workspace_json(struct http_request *r, void *data);
void web_workspace_settings(struct http_request *r, void *data);
void web_members(struct http_request *r, void *data);
void web_members_json(struct http_request *r, void *data);
void web_member(struct http_request *r, void *data);
void web_member_json(struct http_request *r, void *data);
void web_invitations_json(struct http_request *r, void *data);
void web_assets(struct http_request *r, void *data);
void web_assets_json(struct http_request *r, void *data);
void web_asset_page(struct http_request *r, void *data);
void web_asset_json(struct http_request *r, void *data);
void web_workflows(struct http_request *r, void *data);
void web_workflows_json(struct http_request *r, void *data);
void web_workflow(struct http_request *r, void *data);
void web_workflow_json(struct http_request *r, void *data);
void web_usage(struct http_request *r, void *data);
void web_usage_json(struct http_request *r, void *data);
void web_usage_csv(struct http_request *r, void *data);
void web_usage_html(struct http_request *r, void *data);
