
/*
 * Copyright (C) the modelguard authors
 *
 * Days and months by the formulas that Howard Hinnant published in
 * "chrono-Compatible Low-Level Date Algorithms" (days_from_civil and
 * civil_from_days): years begin in March, so that the leap day is the last
 * one, and eras of 400 years, or 146097 days, repeat.
 */


#include "modelguard_budget_calendar.h"


#define MODELGUARD_BUDGET_CALENDAR_ERA    146097     /* days in 400 years */
#define MODELGUARD_BUDGET_CALENDAR_SHIFT  719468     /* 0000-03-01 to 1970 */


static int64_t modelguard_budget_calendar_local(
    const modelguard_budget_t *budget, uint64_t now, int next);
static int64_t modelguard_budget_calendar_month(int64_t days, int next);
static int64_t modelguard_budget_calendar_first(int64_t months);
static int64_t modelguard_budget_calendar_floor(int64_t a, int64_t b);


uint64_t
modelguard_budget_calendar_begin(const modelguard_budget_t *budget,
    uint64_t now)
{
    int64_t  begin;

    begin = modelguard_budget_calendar_local(budget, now, 0);

    return (begin > 0) ? (uint64_t) begin * 1000 : 0;
}


uint64_t
modelguard_budget_calendar_end(const modelguard_budget_t *budget,
    uint64_t now)
{
    return (uint64_t) modelguard_budget_calendar_local(budget, now, 1) * 1000;
}


/* the period's beginning, or the next one's, in seconds of UTC since 1970 */

static int64_t
modelguard_budget_calendar_local(const modelguard_budget_t *budget,
    uint64_t now, int next)
{
    int64_t  local, hours, days;

    local = (int64_t) (now / 1000) + budget->offset;

    if (budget->kind == MODELGUARD_BUDGET_HOUR) {
        hours = modelguard_budget_calendar_floor(local, 3600) + next;
        return hours * 3600 - budget->offset;
    }

    days = modelguard_budget_calendar_floor(local, 86400);

    switch (budget->kind) {

    case MODELGUARD_BUDGET_DAY:
        days += next;
        break;

    case MODELGUARD_BUDGET_WEEK:

        /* 1970 began on a Thursday */

        days = modelguard_budget_calendar_floor(days + 3, 7) * 7 - 3
               + (int64_t) next * 7;
        break;

    default: /* MODELGUARD_BUDGET_MONTH */
        days = modelguard_budget_calendar_month(days, next);
        break;
    }

    return days * 86400 - budget->offset;
}


/* the first day of the month that a day lies in, or of the next month */

static int64_t
modelguard_budget_calendar_month(int64_t days, int next)
{
    int64_t  era, day, year, month;

    days += MODELGUARD_BUDGET_CALENDAR_SHIFT;

    era = modelguard_budget_calendar_floor(days,
                                           MODELGUARD_BUDGET_CALENDAR_ERA);
    day = days - era * MODELGUARD_BUDGET_CALENDAR_ERA;
    year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    day -= year * 365 + year / 4 - year / 100;

    /* from March on, months of 31, 30, 31, 30, 31 days: 153 of five */

    month = (day * 5 + 2) / 153;

    return modelguard_budget_calendar_first((era * 400 + year) * 12 + month
                                            + next);
}


/* the first day of a month, counted from March of the year 0 */

static int64_t
modelguard_budget_calendar_first(int64_t months)
{
    int64_t  era, year, month;

    year = modelguard_budget_calendar_floor(months, 12);
    month = months - year * 12;
    era = modelguard_budget_calendar_floor(year, 400);
    year -= era * 400;

    return era * MODELGUARD_BUDGET_CALENDAR_ERA
           + year * 365 + year / 4 - year / 100 + (month * 153 + 2) / 5
           - MODELGUARD_BUDGET_CALENDAR_SHIFT;
}


/* a / b rounded down, for a positive b */

static int64_t
modelguard_budget_calendar_floor(int64_t a, int64_t b)
{
    return (a >= 0) ? a / b : -((b - 1 - a) / b);
}
