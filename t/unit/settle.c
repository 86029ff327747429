
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_table after a charge: what is settled, learnt, held and banned,
 * dry runs, the overflow record, and any of these against a slow reference.
 */


#include "table.h"


#define CLIENTS  12


static const budget_t  minute = { 100, 20, 60000, 0, 0 };
static const budget_t  life = { 1000, 0, 0, MODELGUARD_BUDGET_LIFETIME, 0 };
static const budget_t  leases = { 3, 0, 60000, MODELGUARD_BUDGET_CONCURRENT,
                                  0 };


static settle_t
settle_of(uint64_t name, const budget_t *budget, uint64_t reserved,
    uint64_t actual, uint64_t then)
{
    settle_t  settle;

    memset(&settle, 0, sizeof(settle));
    settle.name = name;
    settle.budget = budget;
    settle.reserved = reserved;
    settle.actual = actual;
    settle.then = then;

    return settle;
}


static uint64_t
left(table_t *table, unsigned n, uint64_t name, const budget_t *budget,
    uint64_t now)
{
    client_t  id;
    charge_t  one;

    id = client(n);

    memset(&one, 0, sizeof(one));
    one.name = name;
    one.budget = budget;

    (void) ask(table, &id, &one, 1, now);

    return one.remaining;
}


static uint32_t
held(table_t *table, unsigned n)
{
    client_t                 id;
    modelguard_table_work_t  work;

    id = client(n);
    modelguard_table_find(table, &id, 0, &work);

    return work.record.id ? work.record.body->held : 0;
}


static table_t *
three(size_t pages)
{
    table_t  *table;

    table = build(8, pages);
    modelguard_table_register(table, 7, &minute);
    modelguard_table_register(table, 8, &life);
    modelguard_table_register(table, 9, &leases);

    return table;
}


static void
test_settle(void)
{
    table_t  *table;
    unsigned  n;
    client_t  id;
    settle_t  settles[3];

    table = three(1);
    id = client(1);

    charge(table, 1, &minute, 30, 1000);
    settles[0] = settle_of(7, &minute, 30, 12, 1000);
    ok(modelguard_table_settle(table, &id, settles, 1, 3000) == MODELGUARD_OK
       && left(table, 1, 7, &minute, 3000) == 108, "less than was reserved");

    charge(table, 1, &minute, 30, 4000);
    settles[0] = settle_of(7, &minute, 30, 75, 4000);
    settles[1] = settle_of(8, &life, 0, 5, 4000);
    settles[2] = settle_of(99, &life, 0, 5, 4000);
    ok(modelguard_table_settle(table, &id, settles, 3, 5000) == MODELGUARD_OK
       && left(table, 1, 7, &minute, 5000) == 33
       && left(table, 1, 8, &life, 5000) == 995,
       "more, and of two budgets; an unknown one is passed over");

    ok(modelguard_table_mean(table, &id, 7) == 0
       && modelguard_table_mean(table, &id, 99) == 0
       && modelguard_table_mean(table, &id, 0) == 0, "nothing was learnt");
    settles[0] = settle_of(7, &minute, 1, 1, 5000);
    settles[0].learn = 1;
    settles[0].actual = 64;
    settles[0].reserved = 64;
    modelguard_table_settle(table, &id, settles, 1, 5000);
    ok(modelguard_table_mean(table, &id, 7) == 64
       && modelguard_table_mean(table, &id, 8) == 0, "until it is");

    id = client(2);
    ok(modelguard_table_mean(table, &id, 7) == 0, "not of a stranger");

    /* nothing due makes no record, something due makes one again */

    settles[0] = settle_of(7, &minute, 50, 0, 1000);
    settles[1] = settle_of(9, &leases, 1, 0, 1000);
    settles[2] = settle_of(98, &life, 0, 5, 4000);
    ok(modelguard_table_settle(table, &id, settles, 3, 5000) == MODELGUARD_OK
       && walk(table) == 1, "an evicted client that owes nothing");

    settles[0].actual = 40;
    ok(modelguard_table_settle(table, &id, settles, 2, 5000) == MODELGUARD_OK
       && walk(table) == 2 && left(table, 2, 7, &minute, 5000) == 80
       && left(table, 2, 9, &leases, 5000) == 3,
       "one that owes all that it had");

    id = client(3);
    settles[1].renew = 1;
    ok(modelguard_table_settle(table, &id, &settles[1], 1, 5000)
       == MODELGUARD_OK && walk(table) == 3
       && left(table, 3, 9, &leases, 5000) == 2, "one with an open lease");
    settles[1].renew = 0;
    settles[1].then = 5000;
    modelguard_table_settle(table, &id, &settles[1], 1, 6000);
    ok(left(table, 3, 9, &leases, 6000) == 3, "which is released");

    for (n = 100; n < 140; n++) {
        charge(table, n, &minute, 100, 6000);
    }

    id = client(50);
    settles[0] = settle_of(7, &minute, 0, 4, 6000);
    ok(modelguard_table_settle(table, &id, settles, 1, 6000)
       == MODELGUARD_NOMEM && walk(table) == 16, "no room");

    free(table);
}


static void
test_held(void)
{
    table_t  *table;
    client_t  id;
    charge_t  charges[2];
    settle_t  settle;
    budget_t  small = { 10, 5, 60000, 0, 0 };

    table = three(1);
    id = client(1);

    charge(table, 1, &minute, 99, 1000);
    ok(held(table, 1) == 0, "limit - 1 does not hold");
    charge(table, 1, &minute, 1, 1000);
    ok(held(table, 1) == 62, "the limit does, burst or not");
    settle = settle_of(7, &minute, 99, 98, 1000);
    modelguard_table_settle(table, &id, &settle, 1, 2000);
    ok(held(table, 1) == 0, "until something is given back");
    settle = settle_of(7, &minute, 0, 500, 1000);
    modelguard_table_settle(table, &id, &settle, 1, 2000);
    ok(held(table, 1) > 300 && held(table, 1) < 500, "or for long");

    id = client(2);
    charge(table, 2, &small, 10, 1000);
    ok(held(table, 2) == 67, "by the client's own limit, not the zone's");

    memset(charges, 0, sizeof(charges));
    charges[0].name = 8;
    charges[0].budget = &life;
    charges[0].cost = 1;
    ask(table, &id, charges, 1, 2000);
    ok(held(table, 2) == 67, "another budget's charge does not let go");
    charges[1].name = 7;
    charges[1].budget = &minute;
    ask(table, &id, charges, 2, 2000);
    ok(held(table, 2) == 0, "but one of all that is spent does");
    charges[0].cost = 998;
    ask(table, &id, charges, 1, 2000);
    ok(charges[0].remaining == 0 && held(table, 2) == MODELGUARD_TABLE_FOREVER,
       "a lifetime holds for good");

    id = client(3);
    charges[0].name = 9;
    charges[0].budget = &leases;
    charges[0].cost = 3;
    ask(table, &id, charges, 1, 2000);
    ok(charges[0].remaining == 0 && held(table, 3) == 0, "leases never hold");

    /* a limit that was lowered holds at the first refusal */

    charge(table, 4, &minute, 50, 1000);
    ok(held(table, 4) == 0
       && charge(table, 4, &small, 1, 2000).verdict == MODELGUARD_LIMITED
       && held(table, 4) > 60, "so does a limit that was lowered");

    free(table);
}


static void
test_dry_run(void)
{
    table_t   *table;
    client_t   id;
    charge_t   charges[3];
    verdict_t  told;

    table = three(1);
    id = client(1);

    memset(charges, 0, sizeof(charges));
    charges[0].name = 7;
    charges[0].budget = &minute;
    charges[0].cost = 121;
    charges[0].dry_run = 1;

    told = ask(table, &id, charges, 1, 1000);
    ok(told.verdict == MODELGUARD_PASSED && charges[0].refused
       && charges[0].wait == NEVER && charges[0].remaining == 120
       && walk(table) == 0, "a dry run refuses nobody, and charges nothing");

    charges[0].cost = 120;
    told = ask(table, &id, charges, 1, 1000);
    ok(told.verdict == MODELGUARD_PASSED && !charges[0].refused
       && charges[0].wait == 0 && charges[0].remaining == 0,
       "what it would let pass is charged");

    charges[0].cost = 1;
    charges[1].name = 8;
    charges[1].budget = &life;
    charges[1].cost = 300;
    told = ask(table, &id, charges, 2, 1000);
    ok(told.verdict == MODELGUARD_PASSED && told.which == 1
       && charges[0].refused && charges[0].remaining == 0
       && charges[0].wait > 60000 && charges[0].wait < 90000
       && charges[0].reset == 180000
       && !charges[1].refused && charges[1].remaining == 700,
       "beside another budget, which is charged, and spoken of");

    charges[1].cost = 701;
    told = ask(table, &id, charges, 2, 1000);
    ok(told.verdict == MODELGUARD_LIMITED && told.which == 1
       && told.wait == NEVER && charges[0].refused && charges[1].refused
       && charges[1].remaining == 700, "or which refuses");

    charges[0].name = 99;
    charges[1].cost = 1;
    told = ask(table, &id, charges, 2, 1000);
    ok(told.verdict == MODELGUARD_PASSED && told.which == 1
       && charges[0].refused && charges[0].wait == NEVER
       && charges[1].remaining == 699, "one that is not registered");

    /* twice the same: what the dry run refuses takes no room */

    id = client(2);
    charges[0] = charges[1];
    charges[0].cost = 1001;
    charges[0].dry_run = 1;
    charges[1].cost = 600;
    charges[2] = charges[1];
    charges[2].cost = 400;
    told = ask(table, &id, charges, 3, 1000);
    ok(told.verdict == MODELGUARD_PASSED && charges[0].refused
       && charges[0].remaining == 0 && charges[2].remaining == 0
       && charges[1].remaining == 0, "thrice the same budget");

    free(table);
}


/* a clock that was years ahead, and is set right */

static void
test_ahead(void)
{
    size_t           i, failed;
    table_t         *table;
    client_t         id;
    settle_t         settle;
    uint64_t         now, far;
    static budget_t  budgets[] = {
        { 10, 0, 60000, 0, 0 },
        { 10, 0, 0, MODELGUARD_BUDGET_DAY, 3600 },
        { 10, 0, 0, MODELGUARD_BUDGET_MONTH, 0 },
        { 10, 0, 60000, MODELGUARD_BUDGET_CONCURRENT, 0 }
    };

    now = 1700000000000ULL;
    far = now + 10 * 31536000000ULL;

    for (i = 0; i < sizeof(budgets) / sizeof(budgets[0]); i++) {
        table = build(1, 1);
        modelguard_table_register(table, 7, &budgets[i]);

        failed = charge(table, 1, &budgets[i], 4, far).remaining != 6
                 || charge(table, 2, &budgets[i], 4, far).remaining != 6
                 || charge(table, 1, &budgets[i], 1, now).remaining != 5
                 || charge(table, 1, &budgets[i], 6, now).verdict
                    != MODELGUARD_LIMITED
                 || charge(table, 1, &budgets[i], 5, now).remaining != 0;
        failed += charge(table, 1, &budgets[i], 10, now + 2764800000ULL).verdict
                  != MODELGUARD_PASSED;

        /* settled without being charged again */

        id = client(2);
        memset(&settle, 0, sizeof(settle));
        settle.name = 7;
        settle.budget = &budgets[i];
        settle.actual = 3;
        settle.reserved = 2;
        settle.then = far;
        failed += modelguard_table_settle(table, &id, &settle, 1, now)
                  != MODELGUARD_OK;
        failed += charge(table, 2, &budgets[i], 0, now).remaining != 5
                  || charge(table, 2, &budgets[i], 0, now + 2764800000ULL)
                     .remaining != 10;

        /* a day is no such mistake */

        failed += charge(table, 3, &budgets[i], 10, now + 86400000).verdict
                  || charge(table, 3, &budgets[i], 1, now).verdict
                     != MODELGUARD_LIMITED
                  || charge(table, 3, &budgets[i], 1, now + 86399000).verdict
                     != MODELGUARD_LIMITED;

        ok(failed == 0, "what was spent when the clock was years ahead is "
           "spent now, kind %u", (unsigned) budgets[i].kind);
        free(table);
    }
}


static void
test_strikes(void)
{
    int               begun;
    table_t          *table;
    client_t          id;
    uint64_t          now;
    verdict_t         told;
    modelguard_ban_t  ban = { 3, 10, 60 };

    table = three(1);
    id = client(1);

    ok(!modelguard_table_strike(table, &id, &ban, 100000)
       && !modelguard_table_strike(table, &id, &ban, 101000)
       && modelguard_table_strike(table, &id, &ban, 101001),
       "the third strike begins a ban");

    told = charge(table, 1, &minute, 0, 101500);
    ok(told.verdict == MODELGUARD_BANNED && told.wait == 60500
       && told.remaining == 120 && stat_of(table).banned == 1
       && stat_of(table).bans == 1, "which refuses even a look");
    told = charge(table, 1, &minute, 120, 161999);
    ok(told.verdict == MODELGUARD_BANNED && told.wait == 1,
       "before any limit, to the last millisecond");
    told = charge(table, 1, &minute, 121, 161999);
    ok(told.verdict == MODELGUARD_BANNED
       && told.wait == MODELGUARD_BUDGET_NEVER,
       "and no end of it helps what costs more than the limit");
    ok(!modelguard_table_strike(table, &id, &ban, 161999)
       && charge(table, 1, &minute, 1, 162000).verdict == MODELGUARD_PASSED,
       "and ends, with no strikes left");
    ok(!modelguard_table_strike(table, &id, &ban, 162000)
       && !modelguard_table_strike(table, &id, &ban, 162000)
       && modelguard_table_strike(table, &id, &ban, 162000), "it may begin "
       "again");
    ok(modelguard_table_ban(table, &id, 0, 163000) == MODELGUARD_OK
       && charge(table, 1, &minute, 1, 163000).verdict == MODELGUARD_PASSED,
       "or is lifted");

    /* two in one interval count as one half of the next one through */

    id = client(2);
    begun = modelguard_table_strike(table, &id, &ban, 200000)
            + modelguard_table_strike(table, &id, &ban, 209000)
            + modelguard_table_strike(table, &id, &ban, 215000);
    ok(begun == 0, "a strike that is half forgotten, twice");
    ok(modelguard_table_strike(table, &id, &ban, 215000), "and one more");

    id = client(3);
    begun = modelguard_table_strike(table, &id, &ban, 200000)
            + modelguard_table_strike(table, &id, &ban, 209000)
            + modelguard_table_strike(table, &id, &ban, 220000)
            + modelguard_table_strike(table, &id, &ban, 220000);
    ok(begun == 0, "two intervals on all is forgotten");

    /* numbers of intervals come again after 2^16 of them */

    id = client(4);
    begun = modelguard_table_strike(table, &id, &ban, 200000)
            + modelguard_table_strike(table, &id, &ban, 200000)
            + modelguard_table_strike(table, &id, &ban,
                                      200000 + 655360000ULL)
            + modelguard_table_strike(table, &id, &ban,
                                      200000 + 655360000ULL);
    ok(begun == 0, "and in a week of silence, too");

    id = client(9);
    begun = modelguard_table_strike(table, &id, &ban, 200000)
            + modelguard_table_strike(table, &id, &ban, 200000);
    charge(table, 9, &minute, 1000, 200000 + 655360000ULL);
    begun += modelguard_table_strike(table, &id, &ban,
                                     200000 + 655360000ULL);
    ok(begun == 0, "though the refusal itself is a sign of life");

    /* and who asks all the while is seen, but not struck */

    id = client(12);
    begun = modelguard_table_strike(table, &id, &ban, 200000)
            + modelguard_table_strike(table, &id, &ban, 200000);

    for (now = 200000; now < 200000 + 600000000ULL; now += 100000000) {
        charge(table, 12, &minute, 1, now);
    }

    begun += modelguard_table_strike(table, &id, &ban, now);
    ok(begun == 0, "nor do they come back after half as many");

    /* a clock that is set back stands still */

    id = client(5);
    begun = modelguard_table_strike(table, &id, &ban, 200000)
            + modelguard_table_strike(table, &id, &ban, 150000);
    ok(begun == 0 && modelguard_table_strike(table, &id, &ban, 100000),
       "a clock that is set back forgets nothing");

    id = client(11);
    begun = modelguard_table_strike(table, &id, &ban, 200000)
            + modelguard_table_strike(table, &id, &ban, 199000)
            + modelguard_table_strike(table, &id, &ban, 9000000)
            + modelguard_table_strike(table, &id, &ban, 210000);
    ok(begun == 0 && !modelguard_table_strike(table, &id, &ban, 230000),
       "nor does it hold what is over when it goes on");

    ban.after = 4;
    id = client(10);
    begun = modelguard_table_strike(table, &id, &ban, 200000)
            + modelguard_table_strike(table, &id, &ban, 200000)
            + modelguard_table_strike(table, &id, &ban, 210000);
    ok(begun == 0 && modelguard_table_strike(table, &id, &ban, 205000),
       "nor what was counted before the interval it has left");

    free(table);
}


static void
test_bans(void)
{
    table_t           *table;
    unsigned           i, failed;
    client_t           id;
    modelguard_ban_t   ban = { 1, 10, 60 };

    table = three(1);

    id = client(6);
    ok(modelguard_table_strike(table, &id, &ban, 200000),
       "one strike may be enough");

    ban.after = 255;
    ban.in = 86400;
    id = client(7);
    failed = 0;

    for (i = 1; i < 255; i++) {
        failed += (unsigned) modelguard_table_strike(table, &id, &ban,
                                                     86400000 + i);
    }

    ok(failed == 0 && modelguard_table_strike(table, &id, &ban, 86400999),
       "255 in a day, not 254");

    ok(modelguard_table_ban(table, &id, 31622400, UINT64_MAX / 2)
       == MODELGUARD_OK
       && charge(table, 7, &minute, 1, UINT64_MAX / 2).verdict
          != MODELGUARD_BANNED, "time does not wrap in the year 2106");
    ok(modelguard_table_ban(table, &id, 31622400, 4294967000000ULL)
       == MODELGUARD_OK
       && charge(table, 7, &minute, 1, 4294967001000ULL).verdict
          == MODELGUARD_BANNED, "nor right before it");

    id = client(8);
    ok(modelguard_table_ban(table, &id, 0, 1000) == MODELGUARD_OK
       && walk(table) == 2, "to lift no ban leaves no record");

    for (i = 100; i < 140; i++) {
        charge(table, i, &life, 900, 86401000);
        id = client(i);
        modelguard_table_ban(table, &id, 60, 86401000);
    }

    id = client(8);
    ok(modelguard_table_ban(table, &id, 5, 86401000) == MODELGUARD_NOMEM
       && !modelguard_table_strike(table, &id, &ban, 86401000)
       && walk(table) == 16, "nobody who is banned is evicted for another");

    free(table);
}


static void
test_overflow(void)
{
    table_t   *table;
    unsigned   n, failed;
    uint64_t   spent;
    client_t   id;
    charge_t   one;
    budget_t   budget = { 1000, 0, 86400000, 0, 0 };
    verdict_t  told;

    table = build(1, 1);
    modelguard_table_register(table, 7, &budget);
    modelguard_table_overflow(&id);
    failed = 0;
    spent = 0;

    memset(&one, 0, sizeof(one));
    one.name = 7;
    one.budget = &budget;
    one.cost = 1;

    for (n = 0; n < 20000; n++) {
        told = charge(table, n, &budget, 1000, 1000 + n);

        if (told.verdict == MODELGUARD_EXHAUSTED && spent < 1000) {
            told = ask(table, &id, &one, 1, 1000 + n);
            failed += told.verdict != MODELGUARD_PASSED
                      || told.remaining != 1000 - ++spent;
        }
    }

    failed += ask(table, &id, &one, 1, 1000 + n).verdict
              != MODELGUARD_LIMITED;

    ok(failed == 0 && spent == 1000 && walk(table) <= 64,
       "clients without a record share one, which no flood moves");

    free(table);
}


/* the reference: clients in an array, strikes as a list of times */

typedef struct {
    cell_t    cells[3];
    uint64_t  banned;
    unsigned  strikes;
    uint64_t  epoch;                         /* the interval of "cur" */
    unsigned  cur;
    unsigned  prev;
} known_t;


static const budget_t  *kinds[3] = { &minute, &life, &leases };


static int
slow_strike(known_t *known, const modelguard_ban_t *ban, uint64_t now)
{
    uint64_t  epoch, past;

    if (known->banned > now / 1000) {
        return 0;
    }

    epoch = now / 1000 / ban->in;
    past = now / 1000 % ban->in;

    if (epoch > known->epoch) {
        known->prev = (epoch == known->epoch + 1) ? known->cur : 0;
        known->cur = 0;
        known->epoch = epoch;
    }

    known->cur++;

    if ((known->prev * (ban->in - past) + ban->in - 1) / ban->in + known->cur
        < ban->after)
    {
        return 0;
    }

    known->prev = 0;
    known->cur = 0;
    known->banned = (now + 999) / 1000 + ban->time;

    return 1;
}


static void
slow_settle(known_t *known, const settle_t *settle, uint64_t now)
{
    cell_t  *cell;

    cell = &known->cells[settle->name - 7];
    modelguard_budget_roll(settle->budget, cell, now);

    if (settle->renew) {
        modelguard_budget_renew(settle->budget, cell, settle->reserved,
                                settle->then, now);

    } else {
        modelguard_budget_settle(settle->budget, cell, settle->reserved,
                                 settle->actual, settle->then, now);
    }

    if (settle->learn) {
        modelguard_budget_learn(cell, settle->actual);
    }
}


static unsigned
slow_charge(known_t *known, table_t *table, const client_t *id, unsigned k,
    uint64_t cost, uint64_t now)
{
    cell_t    *cell;
    uint64_t   wait;
    charge_t   one;
    verdict_t  told;

    memset(&one, 0, sizeof(one));
    one.name = 7 + k;
    one.budget = kinds[k];
    one.cost = cost;
    told = ask(table, id, &one, 1, now);

    cell = &known->cells[k];
    modelguard_budget_roll(kinds[k], cell, now);
    wait = modelguard_budget_wait(kinds[k], cell, cost, now);

    if (known->banned > now / 1000) {
        return told.verdict != MODELGUARD_BANNED
               || told.wait != (wait > known->banned * 1000 - now
                                ? wait : known->banned * 1000 - now);
    }

    if (wait) {
        return told.verdict != MODELGUARD_LIMITED || told.wait != wait;
    }

    modelguard_budget_spend(kinds[k], cell, cost, now);

    return told.verdict != MODELGUARD_PASSED
           || one.remaining != modelguard_budget_remaining(kinds[k], cell,
                                                           now)
           || one.reset != modelguard_budget_reset(kinds[k], cell, now);
}


static void
test_random(void)
{
    known_t           clients[CLIENTS], *known;
    table_t          *table;
    unsigned          i, n, k, failed, bans;
    uint64_t          now, then;
    client_t          id;
    settle_t          settle;
    modelguard_ban_t  ban = { 4, 900, 500 };

    table = three(4);
    memset(clients, 0, sizeof(clients));
    failed = 0;
    bans = 0;
    now = 1000000000;

    for (n = 0; n < CLIENTS; n++) {
        id = client(n);
        failed += slow_charge(&clients[n], table, &id, 1, 1, now);
    }

    for (i = 0; i < 100000; i++) {
        n = (unsigned) below(CLIENTS);
        k = (unsigned) below(3);
        id = client(n);
        known = &clients[n];
        now += below(3) ? below(2000) : below(20000);

        switch (below(5)) {

        case 0:
            k = (unsigned) below(2);

            /* fall through */

        case 1:
            failed += slow_charge(known, table, &id, k,
                                  k ? below(2) : below(40), now);
            break;

        case 2:
            then = now - below(100000);
            settle = settle_of(7 + k, kinds[k], below(30), below(30), then);
            settle.learn = below(2) & 1;

            if (k == 2) {
                settle.reserved = 1;
                settle.actual = 0;
                settle.renew = below(2) & 1;
                settle.learn = 0;
            }

            slow_settle(known, &settle, now);
            failed += modelguard_table_settle(table, &id, &settle, 1, now)
                      != MODELGUARD_OK;
            break;

        case 3:
            if (below(2) || known->banned > now / 1000) {
                k = (unsigned) slow_strike(known, &ban, now);
                bans += k;
                failed += (unsigned) modelguard_table_strike(table, &id, &ban,
                                                             now)
                          != k;
            }

            break;

        default:
            failed += modelguard_table_mean(table, &id, 7 + k)
                      != modelguard_budget_mean(&known->cells[k]);
            failed += left(table, n, 7 + k, kinds[k], now) == UINT64_MAX;
        }
    }

    ok(failed == 0 && bans > 100 && walk(table) == CLIENTS
       && stat_of(table).bans == bans, "%u calls as the reference has them, "
       "%u bans", i, bans);

    free(table);
}


int
main(void)
{
    test_settle();
    test_held();
    test_dry_run();
    test_ahead();
    test_strikes();
    test_bans();
    test_overflow();
    test_random();

    return tap_done();
}
