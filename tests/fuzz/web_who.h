/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_who.h — who asks the service's page in a fuzz target: a model of that, by what his request says and the world has, which
 * asks none of the functions that let him in.
 */
#pragma once

#include "computations/web/web_work.h"
#include "tests/fuzz/web_browser.h"

struct web_who {
	bool is_nobody; /* nothing that he shows lets anybody in, nor does the way by which he came */
	bool is_known; /* he shows one token or session, which is good, and nothing else that says who he is */
	bool is_elsewhere; /* no page of ours has it sent, as its browser says; or nothing says which page has */
	bool is_browser; /* a browser's, for all that can be seen */
};

struct web_who web_who_asks(const struct browser_request *request);
/* Whether that may be refused to him, who was so when he asked, before anything is done. */
bool web_who_is_kept_out(const struct web_who *who, const struct browser_request *request,
			 const struct web_route *row);
/* What he knows by that letter, in the only field that says who it is, and it is known as of that account. */
bool web_who_shows(const struct browser_request *request, char letter, uint64_t account);
