
/*
 * Copyright (C) the modelguard authors
 *
 * The periods of the calendar kinds of modelguard_budget: the proleptic
 * Gregorian calendar, without leap seconds, at a fixed offset from UTC.
 */


#ifndef MODELGUARD_BUDGET_CALENDAR_H_INCLUDED
#define MODELGUARD_BUDGET_CALENDAR_H_INCLUDED


#include "modelguard_budget.h"


/*
 * When the period that "now" lies in begins, and when the next one does: ms
 * since 1970, 0 for a period that begins before that.  "now" is at most
 * MODELGUARD_BUDGET_TIME_MAX, the kind is MODELGUARD_BUDGET_HOUR .. _MONTH.
 */

uint64_t modelguard_budget_calendar_begin(const modelguard_budget_t *budget,
    uint64_t now);
uint64_t modelguard_budget_calendar_end(const modelguard_budget_t *budget,
    uint64_t now);


#endif /* MODELGUARD_BUDGET_CALENDAR_H_INCLUDED */
