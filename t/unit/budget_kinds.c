
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_budget: calendars, lifetime, leases, settling, and budgets whose
 * kind changes under a cell.
 */


#include "tap.h"
#include "budget_kit.h"
#include "budget_reference.h"


#define SLIDING     MODELGUARD_BUDGET_SLIDING
#define HOUR        MODELGUARD_BUDGET_HOUR
#define DAY         MODELGUARD_BUDGET_DAY
#define WEEK        MODELGUARD_BUDGET_WEEK
#define MONTH       MODELGUARD_BUDGET_MONTH
#define LIFETIME    MODELGUARD_BUDGET_LIFETIME
#define CONCURRENT  MODELGUARD_BUDGET_CONCURRENT

#define count_of(array)  (sizeof(array) / sizeof((array)[0]))


static void
test_valid(void)
{
    size_t  i, failed;

    static struct {
        budget_t  budget;
        int       valid;
    } cases[] = {
        { { 1, 0, WINDOW_MIN, SLIDING, 0 }, 1 },
        { { 1, 0, WINDOW_MIN, SLIDING, 1 }, 0 },
        { { 1, 0, WINDOW_MIN, SLIDING, -1 }, 0 },
        { { 1, 0, WINDOW_MIN, CONCURRENT, 0 }, 1 },
        { { 1, 0, WINDOW_MIN - 1, CONCURRENT, 0 }, 0 },
        { { 1, 0, WINDOW_MAX, CONCURRENT, 0 }, 1 },
        { { 1, 0, WINDOW_MAX + 1, CONCURRENT, 0 }, 0 },
        { { 1, 0, WINDOW_MIN, CONCURRENT, 1 }, 0 },
        { { 1, 1, WINDOW_MIN, CONCURRENT, 0 }, 0 },
        { { 1, 0, 0, HOUR, 0 }, 1 },
        { { 1, 0, 1, HOUR, 0 }, 0 },
        { { 1, 1, 0, DAY, 0 }, 0 },
        { { 1, 0, 0, DAY, OFFSET_MAX - 1 }, 1 },
        { { 1, 0, 0, DAY, OFFSET_MAX }, 1 },
        { { 1, 0, 0, DAY, OFFSET_MAX + 1 }, 0 },
        { { 1, 0, 0, WEEK, -OFFSET_MAX + 1 }, 1 },
        { { 1, 0, 0, WEEK, -OFFSET_MAX }, 1 },
        { { 1, 0, 0, WEEK, -OFFSET_MAX - 1 }, 0 },
        { { 1, 0, 0, WEEK, INT32_MIN }, 0 },
        { { 0, 0, 0, MONTH, 0 }, 0 },
        { { LIMIT_MAX, 0, 0, MONTH, 0 }, 1 },
        { { LIMIT_MAX + 1, 0, 0, MONTH, 0 }, 0 },
        { { 1, 0, 0, LIFETIME, 0 }, 1 },
        { { 1, 1, 0, LIFETIME, 0 }, 0 },
        { { 1, 0, 1000, LIFETIME, 0 }, 0 },
        { { 1, 0, 0, LIFETIME, 1 }, 0 },
        { { 1, 0, WINDOW_MIN, CONCURRENT - 1, 0 }, 0 },
        { { 1, 0, WINDOW_MIN, CONCURRENT + 1, 0 }, 0 },
        { { 1, 0, 0, CONCURRENT + 1, 0 }, 0 },
        { { 1, 0, 0, UINT32_MAX, 0 }, 0 }
    };

    failed = 0;

    for (i = 0; i < count_of(cases); i++) {
        failed += modelguard_budget_valid(&cases[i].budget) != cases[i].valid;
    }

    ok(failed == 0, "bounds of the parameters of each kind, %zu cases", i);
}


/* ms of a date, "hours" east of UTC */

static uint64_t
date(const char *text, int hours)
{
    struct tm  tm;

    memset(&tm, 0, sizeof(tm));
    (void) sscanf(text, "%d-%d-%d %d:%d:%d", &tm.tm_year, &tm.tm_mon,
                  &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec);
    tm.tm_year -= 1900;
    tm.tm_mon--;

    return (uint64_t) (timegm(&tm) - hours * 3600) * 1000;
}


static int
lasts(const budget_t *budget, uint64_t begin, uint64_t now, uint64_t end)
{
    cell_t    cell;
    unsigned  failed;

    memset(&cell, 0, sizeof(cell));
    modelguard_budget_roll(budget, &cell, now);
    modelguard_budget_spend(budget, &cell, budget->limit, now);

    failed = start_of(&cell) != begin
             || modelguard_budget_remaining(budget, &cell, now) != 0
             || modelguard_budget_wait(budget, &cell, 1, now) != end - now
             || modelguard_budget_reset(budget, &cell, now) != end - now;

    modelguard_budget_roll(budget, &cell, end - 1);
    failed += modelguard_budget_wait(budget, &cell, 1, end - 1) != 1
              || modelguard_budget_reset(budget, &cell, end - 1) != 1
              || modelguard_budget_spent(budget, &cell, end - 1)
                 != budget->limit;

    modelguard_budget_roll(budget, &cell, end);
    failed += modelguard_budget_wait(budget, &cell, budget->limit, end) != 0
              || modelguard_budget_reset(budget, &cell, end) != 0;

    return failed == 0;
}


static void
test_dates(void)
{
    size_t  i, failed;

    static struct {
        uint32_t     kind;
        int          hours;
        const char  *begin;
        const char  *now;
        const char  *end;
    } cases[] = {
        { HOUR, 0, "1970-01-01 00", "1970-01-01 00", "1970-01-01 01" },
        { HOUR, 5, "2026-03-01 23", "2026-03-01 23:59:59", "2026-03-02 00" },
        { DAY, 0, "1970-01-01", "1970-01-01 00", "1970-01-02" },
        { DAY, 0, "2024-02-28", "2024-02-28 12", "2024-02-29" },
        { DAY, 0, "2024-02-29", "2024-02-29 23:59:59", "2024-03-01" },
        { DAY, 14, "2024-12-31", "2024-12-31 10", "2025-01-01" },
        { DAY, -14, "2024-12-31", "2024-12-31 10", "2025-01-01" },
        { WEEK, 0, "1970-01-05", "1970-01-05 00", "1970-01-12" },
        { WEEK, 0, "2024-02-26", "2024-03-03 23:59:59", "2024-03-04" },
        { WEEK, 0, "2026-12-28", "2027-01-01", "2027-01-04" },
        { WEEK, 14, "2026-12-28", "2027-01-03 23:59:59", "2027-01-04" },
        { WEEK, -14, "2026-12-28", "2026-12-28 00", "2027-01-04" },
        { MONTH, 0, "1970-01-01", "1970-01-31 23:59:59", "1970-02-01" },
        { MONTH, 0, "2023-02-01", "2023-02-28 23:59:59", "2023-03-01" },
        { MONTH, 0, "2024-02-01", "2024-02-28 23:59:59", "2024-03-01" },
        { MONTH, 0, "2024-02-01", "2024-02-29 23:59:59", "2024-03-01" },
        { MONTH, 0, "2024-12-01", "2024-12-31", "2025-01-01" },
        { MONTH, 0, "2099-12-01", "2099-12-31 23:59:59", "2100-01-01" },
        { MONTH, 0, "2100-02-01", "2100-02-28 23:59:59", "2100-03-01" },
        { MONTH, 0, "2400-02-01", "2400-02-29 23:59:59", "2400-03-01" },
        { MONTH, 14, "2026-04-01", "2026-04-01 00", "2026-05-01" },
        { MONTH, -14, "2026-04-01", "2026-04-30 23:59:59", "2026-05-01" }
    };

    budget_t  budget = { 3, 0, 0, 0, 0 };

    failed = 0;

    for (i = 0; i < count_of(cases); i++) {
        budget.kind = cases[i].kind;
        budget.offset = cases[i].hours * 3600;

        if (!lasts(&budget, date(cases[i].begin, cases[i].hours),
                   date(cases[i].now, cases[i].hours),
                   date(cases[i].end, cases[i].hours)))
        {
            printf("# %s\n", cases[i].now);
            failed++;
        }
    }

    ok(failed == 0, "leap days, ends of months and years, Mondays, offsets, "
       "%zu dates", i);

    budget.kind = WEEK;
    budget.offset = 0;
    ok(lasts(&budget, 0, 0, date("1970-01-05", 0)), "the week of 1970-01-01 "
       "is cut at its beginning");

    budget.kind = MONTH;
    budget.offset = -OFFSET_MAX;
    ok(lasts(&budget, 0, 0, OFFSET_MAX * 1000), "and so is December of 1969, "
       "which lasts until 14:00 UTC at -14:00");
}


/* every period from 1970 to 2420, then random times, up to the last one */

static void
test_periods(void)
{
    cell_t    cell;
    budget_t  budget = { 3, 0, 0, 0, 0 };
    unsigned  i, n, failed;
    uint64_t  now, begin, wait;

    n = 0;
    failed = 0;

    for (budget.kind = DAY; budget.kind <= MONTH; budget.kind++) {
        now = 0;

        for ( ;; ) {
            begin = ref_period(&budget, now);
            memset(&cell, 0, sizeof(cell));
            modelguard_budget_spend(&budget, &cell, 3, now);
            wait = modelguard_budget_wait(&budget, &cell, 1, now);

            failed += start_of(&cell) != begin
                      || ref_period(&budget, now + wait - 1) != begin
                      || ref_period(&budget, now + wait) != now + wait;
            n++;

            if (now > date("2420-01-01", 0)) {
                break;
            }

            now += wait;
        }
    }

    ok(failed == 0, "one period after the other from 1970 to 2420, %u", n);

    failed = 0;

    for (i = 0; i < 100000; i++) {
        budget.kind = HOUR + (uint32_t) below(4);
        budget.offset = (int32_t) below(2 * OFFSET_MAX + 1) - OFFSET_MAX;
        now = sized(TIME_MAX);
        begin = ref_period(&budget, now);

        memset(&cell, 0, sizeof(cell));
        modelguard_budget_spend(&budget, &cell, 3, now);
        wait = modelguard_budget_wait(&budget, &cell, 1, now);

        failed += start_of(&cell) != begin;
        failed += (wait == NEVER)
                  ? ref_period(&budget, TIME_MAX) != begin
                  : ref_period(&budget, now + wait - 1) != begin
                    || ref_period(&budget, now + wait) == begin;
    }

    ok(failed == 0, "any time, any offset, %u", i);

    failed = 0;

    for (budget.kind = HOUR; budget.kind <= MONTH; budget.kind++) {
        memset(&cell, 0, sizeof(cell));
        modelguard_budget_spend(&budget, &cell, 3, UINT64_MAX);
        failed += start_of(&cell) != ref_period(&budget, TIME_MAX)
                  || modelguard_budget_wait(&budget, &cell, 1, UINT64_MAX)
                     != NEVER
                  || modelguard_budget_reset(&budget, &cell, TIME_MAX)
                     != NEVER;
    }

    ok(failed == 0, "the last period never ends");
}


static void
test_calendar_clock(void)
{
    cell_t    cell;
    uint64_t  noon;
    budget_t  budget = { 10, 0, 0, DAY, 0 };

    noon = date("2026-05-05 12:00:00", 0);
    memset(&cell, 0, sizeof(cell));
    modelguard_budget_spend(&budget, &cell, 0, noon);
    ok(cell.stamp == 0 && modelguard_budget_reset(&budget, &cell, noon) == 0,
       "a cost of 0 starts no period");

    modelguard_budget_spend(&budget, &cell, 10, noon);
    modelguard_budget_roll(&budget, &cell, noon - 86400000);
    ok(modelguard_budget_spent(&budget, &cell, noon - 86400000) == 10
       && modelguard_budget_wait(&budget, &cell, 1, noon - 86400000)
          == 86400000 + 43200000
       && modelguard_budget_reset(&budget, &cell, noon - 86400000)
          == 86400000 + 43200000,
       "a day back gives nothing back, until tomorrow's end");

    modelguard_budget_roll(&budget, &cell, noon);
    ok(modelguard_budget_spent(&budget, &cell, noon) == 10, "nor does it when "
       "the clock comes again");

    cell.cur = UNITS_MAX - 1;
    modelguard_budget_spend(&budget, &cell, 2, noon);
    ok(cell.cur == UNITS_MAX
       && modelguard_budget_remaining(&budget, &cell, noon) == 0,
       "a calendar saturates");

    modelguard_budget_settle(&budget, &cell, 10, 4, noon, noon);
    ok(cell.cur == UNITS_MAX - 6, "a refund today");

    cell.cur = 10;
    modelguard_budget_settle(&budget, &cell, 10, 4, noon - 86400000, noon);
    ok(cell.cur == 10, "yesterday's is no refund today");

    modelguard_budget_settle(&budget, &cell, 20, 4, noon, noon);
    ok(cell.cur == 0 && modelguard_budget_reset(&budget, &cell, noon) == 0,
       "no more than there is");
}


static void
test_lifetime(void)
{
    cell_t    cell;
    budget_t  budget = { 10, 0, 0, LIFETIME, 0 };

    memset(&cell, 0, sizeof(cell));
    modelguard_budget_roll(&budget, &cell, 5000);

    ok(modelguard_budget_wait(&budget, &cell, 9, 5000) == 0
       && modelguard_budget_wait(&budget, &cell, 10, 5000) == 0
       && modelguard_budget_wait(&budget, &cell, 11, 5000) == NEVER
       && modelguard_budget_reset(&budget, &cell, 5000) == 0,
       "a lifetime before its first charge");

    modelguard_budget_spend(&budget, &cell, 9, 5000);
    modelguard_budget_roll(&budget, &cell, TIME_MAX);

    ok(modelguard_budget_spent(&budget, &cell, TIME_MAX) == 9
       && modelguard_budget_remaining(&budget, &cell, TIME_MAX) == 1
       && modelguard_budget_wait(&budget, &cell, 1, TIME_MAX) == 0
       && modelguard_budget_wait(&budget, &cell, 2, TIME_MAX) == NEVER
       && modelguard_budget_reset(&budget, &cell, TIME_MAX) == NEVER,
       "nothing comes back in a lifetime");

    modelguard_budget_settle(&budget, &cell, 9, 4, 5000, TIME_MAX);
    ok(cell.cur == 4, "but for a refund, whenever");

    cell.cur = 3;
    cell.prev = 5;
    modelguard_budget_settle(&budget, &cell, 7, 0, 0, 9000);
    ok(cell.cur == 0 && cell.prev == 1, "what another kind left is refunded "
       "last");

    modelguard_budget_settle(&budget, &cell, 7, 0, 0, 9000);
    ok(modelguard_budget_spent(&budget, &cell, 9000) == 0
       && modelguard_budget_reset(&budget, &cell, 9000) == 0,
       "never below nothing");
}


static void
test_leases(void)
{
    cell_t    cell;
    budget_t  budget = { 3, 0, 60000, CONCURRENT, 0 };

    memset(&cell, 0, sizeof(cell));
    modelguard_budget_spend(&budget, &cell, 2, 119999);

    ok(start_of(&cell) == 60000
       && modelguard_budget_wait(&budget, &cell, 1, 119999) == 0
       && modelguard_budget_wait(&budget, &cell, 2, 119999) == 1000
       && modelguard_budget_wait(&budget, &cell, 4, 119999) == NEVER,
       "one more fits, two have to wait, four never do");

    ok(modelguard_budget_reset(&budget, &cell, 119999) == 60001,
       "idle two epochs on");

    modelguard_budget_roll(&budget, &cell, 120000);
    modelguard_budget_spend(&budget, &cell, 1, 120000);
    ok(cell.prev == 2 && cell.cur == 1
       && modelguard_budget_remaining(&budget, &cell, 120000) == 0,
       "the next epoch counts both");

    modelguard_budget_settle(&budget, &cell, 1, 0, 119999, 120000);
    ok(cell.prev == 1 && cell.cur == 1, "released where it is dated");

    modelguard_budget_settle(&budget, &cell, 1, 0, 59999, 120000);
    ok(cell.prev == 1 && cell.cur == 1, "a forgotten one releases nobody's");

    modelguard_budget_renew(&budget, &cell, 1, 119999, 120001);
    ok(cell.prev == 0 && cell.cur == 2, "renewed");

    modelguard_budget_roll(&budget, &cell, 239999);
    ok(modelguard_budget_spent(&budget, &cell, 239999) == 2, "counted");

    modelguard_budget_roll(&budget, &cell, 240000);
    ok(modelguard_budget_spent(&budget, &cell, 240000) == 0
       && modelguard_budget_reset(&budget, &cell, 240000) == 0,
       "what was neither released nor renewed heals");

    modelguard_budget_renew(&budget, &cell, 1, 120001, 240001);
    ok(cell.cur == 1 && start_of(&cell) == 240000,
       "a forgotten one is renewed");

    modelguard_budget_spend(&budget, &cell, 1, 100000);
    modelguard_budget_settle(&budget, &cell, 1, 0, 100000, 100001);
    ok(cell.cur == 1, "one that was taken and released while the clock was "
       "behind is gone at once");

    modelguard_budget_settle(&budget, &cell, 1, 0, UINT64_MAX, 240001);
    ok(cell.cur == 0, "a date to come is this epoch's");

    budget.kind = SLIDING;
    modelguard_budget_renew(&budget, &cell, 1, 0, 240001);
    ok(cell.cur == 0, "other kinds have nothing to renew");

    budget.kind = CONCURRENT;
    modelguard_budget_spend(&budget, &cell, UINT64_MAX, 240001);
    ok(cell.cur == UNITS_MAX
       && modelguard_budget_wait(&budget, &cell, 0, 240001) == 1000,
       "leases saturate");
}


/*
 * Leases one by one, each with its own date: one that is renewed in time is
 * always counted, and one that is not is forgotten after one to two leases.
 */

static void
test_lease_list(void)
{
    cell_t    cell;
    unsigned  i, n, least, most, failed, step;
    uint64_t  now, dates[40];
    budget_t  budget = { 40, 0, 1000, CONCURRENT, 0 };

    now = 1700000000000ULL;
    failed = 0;
    memset(&cell, 0, sizeof(cell));
    memset(dates, 0, sizeof(dates));

    for (step = 0; step < 200000; step++) {
        now += below(4) ? below(60) : 0;
        n = (unsigned) below(40);

        modelguard_budget_roll(&budget, &cell, now);

        if (dates[n] == 0) {

            if (modelguard_budget_wait(&budget, &cell, 1, now) == 0) {
                modelguard_budget_spend(&budget, &cell, 1, now);
                dates[n] = now;
            }

        } else if (below(8) == 0) {
            modelguard_budget_renew(&budget, &cell, 1, dates[n], now);
            dates[n] = now;

        } else if (below(2)) {
            modelguard_budget_settle(&budget, &cell, 1, 0, dates[n], now);
            dates[n] = 0;

        } else if (below(30) == 0) {

            /* its process was killed: it stays, and heals */

            dates[n] = 0;
        }

        least = 0;
        most = 0;

        for (i = 0; i < 40; i++) {
            least += dates[i] && now - dates[i] < budget.window;
        }

        most = (unsigned) modelguard_budget_spent(&budget, &cell, now);
        failed += most < least || most > 40;
    }

    ok(failed == 0, "a lease in its time is always counted, %u steps", step);

    modelguard_budget_roll(&budget, &cell, now + 2000);
    ok(modelguard_budget_spent(&budget, &cell, now + 2000) == 0,
       "after two leases none is");
}


static void
test_settle(void)
{
    cell_t    cell, other;
    budget_t  budget = { 10, 5, 1000, SLIDING, 0 };
    unsigned  i, failed;
    uint64_t  reserved, actual, now, start;

    failed = 0;

    for (i = 0; i < 30000; i++) {
        budget.limit = sized(LIMIT_MAX);
        budget.burst = sized(LIMIT_MAX) - 1;
        budget.window = 999 + sized(WINDOW_MAX - 999);
        reserved = sized(budget.limit + budget.burst);
        actual = below(2) ? sized(reserved + 1) - 1 : sized(2 * reserved) - 1;
        start = sized(1ULL << 45);
        now = start + below(budget.window);

        memset(&cell, 0, sizeof(cell));
        cell.prev = below(budget.limit + 1);
        cell.cur = 1 + below(1000);
        cell.stamp = start << 16;
        other = cell;

        modelguard_budget_spend(&budget, &cell, reserved, now);
        modelguard_budget_settle(&budget, &cell, reserved, actual, now,
                                 now + below(start + budget.window - now));
        modelguard_budget_spend(&budget, &other, actual, now);

        failed += memcmp(&cell, &other, sizeof(cell)) != 0;
    }

    ok(failed == 0, "in its bucket a settled charge is the actual one, %u", i);

    budget.limit = 10;
    budget.burst = 5;
    budget.window = 1000;
    memset(&cell, 0, sizeof(cell));
    modelguard_budget_spend(&budget, &cell, 12, 5000);
    modelguard_budget_roll(&budget, &cell, 6000);
    modelguard_budget_settle(&budget, &cell, 12, 1, 5000, 6000);
    ok(cell.prev == 0 && cell.cur == 2, "what was carried stays spent");

    modelguard_budget_settle(&budget, &cell, 12, 1, 5000, 6000);
    ok(cell.prev == 0 && cell.cur == 2, "twice is no more");

    cell.prev = 5;
    modelguard_budget_settle(&budget, &cell, 3, 0, 4999, 6000);
    ok(cell.prev == 5 && cell.cur == 2, "before the previous bucket, nothing");

    modelguard_budget_settle(&budget, &cell, 3, 0, 5000, 6000);
    ok(cell.prev == 2 && cell.cur == 2, "at its beginning");

    modelguard_budget_settle(&budget, &cell, 1, 0, 5999, 6000);
    ok(cell.prev == 1 && cell.cur == 2, "at its end");

    modelguard_budget_settle(&budget, &cell, 1, 0, 6000, 6000);
    ok(cell.prev == 1 && cell.cur == 1, "at the beginning of this one");

    modelguard_budget_settle(&budget, &cell, 3, 3, 6000, 6000);
    ok(cell.prev == 1 && cell.cur == 1, "what was right stays");

    modelguard_budget_settle(&budget, &cell, 3, 4, 5000, 6000);
    ok(cell.prev == 1 && cell.cur == 2, "more is spent now");

    modelguard_budget_settle(&budget, &cell, 0, UINT64_MAX, 5000, 6000);
    ok(cell.cur == UNITS_MAX, "and saturates");

    modelguard_budget_settle(&budget, &cell, UINT64_MAX, 0, 6000, 6000);
    ok(cell.prev == 1 && cell.cur == 0, "never below nothing");
}


/* what a cell of any kind means to another, which it says at its roll */

static uint64_t
means(const budget_t *budget, const cell_t *cell, uint64_t now)
{
    uint64_t  start, all;

    start = start_of(cell);
    all = cell->cur + cell->prev;

    switch (budget->kind) {

    case LIFETIME:
        return all;

    case CONCURRENT:
        return (now < start + budget->window) ? all
               : (now < start + 2 * budget->window) ? cell->cur : 0;

    case SLIDING:
        return NEVER;

    default:
        return (start < ref_period(budget, now)
                && start == ref_period(budget, start)) ? 0 : all;
    }
}


static void
test_change(void)
{
    cell_t    cell, rolled;
    budget_t  budget;
    unsigned  i, failed;
    uint64_t  now, spent, all;

    failed = 0;

    for (i = 0; i < 60000; i++) {
        memset(&budget, 0, sizeof(budget));
        budget.kind = (uint32_t) below(MODELGUARD_BUDGET_KINDS);
        budget.limit = sized(LIMIT_MAX);

        if (budget.kind == SLIDING || budget.kind == CONCURRENT) {
            budget.window = 999 + sized(WINDOW_MAX - 999);

        } else if (budget.kind != LIFETIME) {
            budget.offset = (int32_t) below(2 * OFFSET_MAX + 1) - OFFSET_MAX;
        }

        now = sized(TIME_MAX);
        cell.stamp = any();
        cell.stamp = below(3) ? ((now - now % 3600000) << 16) : cell.stamp;
        cell.cur = below(UNITS_MAX / 4);
        cell.prev = below(4) ? below(UNITS_MAX / 4) : 0;

        rolled = cell;
        modelguard_budget_roll(&budget, &rolled, now);
        spent = modelguard_budget_spent(&budget, &rolled, now);
        all = means(&budget, &cell, now);

        failed += (all == NEVER) ? spent > cell.cur + cell.prev : spent != all;
        failed += ((rolled.stamp ^ cell.stamp) & 0xffff) != 0;
    }

    ok(failed == 0, "what any cell means to another kind, %u", i);
}


static void
test_changes(void)
{
    cell_t    cell;
    uint64_t  noon;
    budget_t  month = { 1000, 0, 2592000000ULL, SLIDING, 0 };
    budget_t  day = { 100, 0, 0, DAY, 0 };
    budget_t  east = { 100, 0, 0, DAY, 7200 };

    noon = date("2026-05-05 12:00:00", 0);
    memset(&cell, 0, sizeof(cell));
    modelguard_budget_spend(&month, &cell, 80, noon - 3600000);
    modelguard_budget_roll(&day, &cell, noon);
    ok(modelguard_budget_spent(&day, &cell, noon) == 80
       && modelguard_budget_wait(&day, &cell, 21, noon) == 43200000,
       "spent today in a sliding window, then by the day: today's");

    modelguard_budget_roll(&day, &cell, noon + 43200000);
    ok(modelguard_budget_spent(&day, &cell, noon + 43200000) == 0,
       "and not tomorrow's");

    memset(&cell, 0, sizeof(cell));
    modelguard_budget_spend(&month, &cell, 80, noon - 86400000);
    modelguard_budget_roll(&day, &cell, noon);
    ok(modelguard_budget_spent(&day, &cell, noon) == 80, "begun yesterday: "
       "also today's");

    modelguard_budget_roll(&east, &cell, noon);
    ok(modelguard_budget_spent(&east, &cell, noon) == 80
       && start_of(&cell) == noon - 50400000, "another offset");

    modelguard_budget_roll(&east, &cell, noon + 36000000);
    ok(modelguard_budget_spent(&east, &cell, noon + 36000000) == 0,
       "ends at its own midnight");

    /* found by the fuzz target: it counted in two periods */

    day.kind = MONTH;
    day.offset = -50172;
    cell.stamp = 205000ULL << 16;
    cell.cur = 288;
    cell.prev = 0;
    modelguard_budget_roll(&day, &cell, 205001);
    ok(modelguard_budget_wait(&day, &cell, 1, 205001) == 50172000 - 205001,
       "begun within the period, which is not the next one");

    modelguard_budget_roll(&day, &cell, 50172000);
    ok(modelguard_budget_spent(&day, &cell, 50172000) == 0, "nor is it then");
}


int
main(void)
{
    test_valid();
    test_dates();
    test_periods();
    test_calendar_clock();
    test_lifetime();
    test_leases();
    test_lease_list();
    test_settle();
    test_change();
    test_changes();

    return tap_done();
}
