/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_words_place.h — what the screens of workspaces, their members and of roles say (web_words.h has all others).
 */
#pragma once

#define WEB_WORKSPACES                                                                              \
	"Each computation and asset is in one, and whoever is no member there does not learn that " \
	"it exists."
#define WEB_NO_WORKSPACES \
	"You are in none. Whoever administers one can send you a link that lets you in."
#define WEB_NO_WORKSPACE_MEMBERS "Nobody is a member: invite its administrator."
#define WEB_MEMBERSHIPS                                                                               \
	"Viewers see what they have a role in. Members also create computations, register assets "    \
	"and act by their roles. Administrators also see and govern all that is in it. None of them " \
	"gets at data or results by that: manifests name the keys for it."
#define WEB_MEMBER_SUSPEND                                                                          \
	"For this user the workspace is as if it were not there, until the suspension ends. Roles " \
	"in computations stay, and come back with it."
#define WEB_MEMBER_RESUME \
	"All that this user had here comes back: the role, and those in computations."
#define WEB_MEMBER_REMOVE                                                                        \
	"Every role of this user in the workspace’s computations goes with the membership, and " \
	"does not come back with an invitation. Manifests that were made keep this user’s keys."
#define WEB_WORKSPACE_NEW \
	"Each computation is in one, and only who is a member there sees it. Whoever makes a workspace administers it."
#define WEB_WORKSPACE_NAME \
	"a-z 0-9 . _ @ + -, with a letter or digit first; it stands in addresses and commands"
#define WEB_WORKSPACE_RENAME                                                                    \
	"Members, computations and assets stay. Addresses and commands with the old name find " \
	"nothing from then on, or whatever is called so next."
#define WEB_WORKSPACE_LIMITED \
	"This service's settings speak of this name: only who administers the service gives it another."
#define WEB_TRANSFER                                                                               \
	"This member administers the workspace alone from then on; whoever administers it now is " \
	"a member."
#define WEB_TRANSFER_ASK                                                                             \
	"The new administrator alone says then who is in it, and sees and governs its computations " \
	"and CVMs. Who has which role in a computation stays as it is. Only the new administrator, " \
	"or whoever administers this service, can take it back."
#define WEB_TRANSFER_FROM   "No administrator any more, but a member:"
#define WEB_TRANSFER_NOBODY "Nobody administers it now."
#define WEB_LEAVE           "You are no member then, and for you it is as if it were not there."
#define WEB_LEAVE_ASK                                                                               \
	"All your roles in its computations go with your membership, and do not come back with an " \
	"invitation, which only its administrators can send you. What you alone own of what "       \
	"somebody else created, an administrator of it owns then. Manifests that were made keep "   \
	"your keys."
#define WEB_LEAVE_OPERATOR \
	"You administer this service: you go on seeing it, but are no member then."
#define WEB_LEAVE_STAYS                                                                         \
	"On the page of another member the workspace is handed over, or another administrator " \
	"made; on that of a computation’s roles somebody else is made its owner. Then leave."
#define WEB_LEAVE_NOBODY "you have no account here, and are a member of no workspace"
#define WEB_ROLES                                                                                    \
	"Roles say who may ask this service for what. Who may send a dataset or fetch results, the " \
	"agent decides by the keys in the manifest."
#define WEB_ROLES_FROZEN \
	"It was run: who provides or gets what does not change any more, for the manifest names it."
#define WEB_ROLE_OWN                                                                                 \
	"Where none of these allows just what somebody is to do: a role of this computation alone. " \
	"Once it is made, give it as the others are given."
#define WEB_ROLE_NAME \
	"At most 63 of a-z 0-9 . _ @ + - with a letter or digit first; no other role’s"
#define WEB_ROLE_ACTIONS                                                                             \
	"With it one sees the computation, and may do what is ticked. edit: rename it, and change "  \
	"its manifest until the first run. run: run and stop it. administrator: remove it, and say " \
	"who has which role."
#define WEB_ROLE_PARTIES " The others are of those whom the manifest names by their keys."
#define WEB_ROLE_LATER \
	" It was run: no role is changed any more to provide or get what the manifest names."
#define WEB_ROLE_FULL "It has as many roles of its own as it may have: remove one first."
#define WEB_ROLE_CHANGE \
	"Whoever has this role may do from then on what is ticked here, and nothing else by it."
#define WEB_ROLE_REMOVE \
	"Whoever has it loses what it allows, and does not get it back by another role of that name."
