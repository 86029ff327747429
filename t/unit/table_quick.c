
/*
 * Copyright (C) the modelguard authors
 *
 * modelguard_table_quick: two tables have the same life, but one is never
 * charged the quick way, and nothing tells them apart: answers, records,
 * checksums, counts.
 */


#include "tap.h"
#include "modelguard_table_inside.h"


#define SIZE     (16 * 1024)
#define BUDGETS  4
#define CLIENTS  24
#define ROUNDS   60000
#define START    1750000000000ULL


typedef modelguard_table_t   table_t;
typedef modelguard_charge_t  charge_t;


static uint64_t             seed = 0x9e3779b97f4a7c15ULL;
static table_t             *quick, *slow;
static modelguard_budget_t  budgets[BUDGETS];

/* of the budgets in one request, where limits may come from variables */

static modelguard_budget_t  asked[BUDGETS];


static uint64_t
below(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (seed * 0x2545f4914f6cdd1dULL >> 11) % n;
}


static table_t *
create(unsigned n)
{
    table_t   *table;
    unsigned   i;
    uint64_t   uid[2] = { 1, 2 };

    table = aligned_alloc(MODELGUARD_TABLE_PAGE, SIZE);

    if (table == NULL) {
        exit(2);
    }

    memset(table, 0, SIZE);

    if (modelguard_table_init(table, SIZE, n, uid, 3) != MODELGUARD_OK
        || modelguard_table_lock_all(table) != MODELGUARD_OK)
    {
        exit(2);
    }

    for (i = 0; i < n; i++) {
        (void) modelguard_table_register(table, i + 1, &budgets[i]);
    }

    modelguard_table_unlock_all(table);

    return table;
}


static modelguard_id_t
client(void)
{
    uint64_t         n;
    modelguard_id_t  id;
    static uint8_t   secret[MODELGUARD_HASH_SECRET] = "a secret";

    n = below(CLIENTS);
    modelguard_hash(&id, secret, (uint8_t *) &n, sizeof(n));

    return id;
}


/* beside the limit, more often than not */

static uint64_t
cost(const modelguard_budget_t *budget)
{
    switch (below(8)) {

    case 0:
        return 0;

    case 1:
        return budget->limit - 1 + below(3);

    case 2:
        return budget->limit + budget->burst - 1 + below(3);

    case 3:
        return below(budget->limit + 1);

    default:
        return 1;
    }
}


/* in the order of registration and without gaps, mostly */

static unsigned
make(charge_t *charges, unsigned n)
{
    unsigned  i, j, first, used;

    used = 1 + (unsigned) below(n);
    first = below(4) ? 0 : (unsigned) below(n);

    memset(charges, 0xee, BUDGETS * sizeof(charge_t));

    for (i = 0; i < used; i++) {
        j = (first + i) % n;

        asked[i] = budgets[j];

        if (below(4) == 0) {
            asked[i].limit += below(3) - (asked[i].limit > 1);
        }

        charges[i].name = j + 1;
        charges[i].budget = &asked[i];
        charges[i].cost = cost(&asked[i]);
        charges[i].dry_run = (below(8) == 0);
    }

    return used;
}


/* the locks and the journal are of no interest when nobody is at work */

static int
same_tables(void)
{
    size_t                     first;
    unsigned                   i;
    modelguard_table_shard_t  *a, *b;

    first = modelguard_table_first(quick->shards);

    for (i = 0; i < quick->shards; i++) {
        a = modelguard_table_part(quick, i);
        b = modelguard_table_part(slow, i);

        if (a->journal.armed || b->journal.armed
            || memcmp(&a->stat, &b->stat, sizeof(a->stat)) != 0)
        {
            return 0;
        }
    }

    return memcmp((char *) quick + first, (char *) slow + first, SIZE - first)
           == 0
           && memcmp(quick->budgets, slow->budgets, sizeof(quick->budgets))
              == 0;
}


static int
same_charges(const charge_t *a, const charge_t *b, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (a[i].refused != b[i].refused
            || a[i].remaining != b[i].remaining
            || a[i].reset != b[i].reset
            || a[i].wait != b[i].wait)
        {
            return 0;
        }
    }

    return 1;
}


/* what was written last is in the journal, for who finds it armed */

static int
same_journal(const modelguard_id_t *id)
{
    unsigned                     shard;
    modelguard_table_record_t    record;
    modelguard_table_journal_t  *journal;

    shard = modelguard_table_shard(quick, id);
    journal = &modelguard_table_part(quick, shard)->journal;

    if (journal->number >= modelguard_table_records(quick)) {
        return 0;
    }

    modelguard_table_nth(quick, shard, journal->number, &record);

    return memcmp(&journal->id, id, sizeof(modelguard_id_t)) == 0
           && memcmp(record.id, id, sizeof(modelguard_id_t)) == 0
           && memcmp(record.body, &journal->body, modelguard_table_room(quick))
              == 0
           && journal->check == modelguard_table_check_journal(journal)
           && journal->body.check
              == modelguard_table_check_record(quick, id, &journal->body)
           && journal->records
              == modelguard_table_part(quick, shard)->stat.records;
}


static unsigned
spends(const charge_t *charges, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (charges[i].cost && !charges[i].refused) {
            return 1;
        }
    }

    return 0;
}


/* 1 if both say the same; in turn it is charged under a lock, or takes it */

static int
charge(unsigned n, uint64_t now, unsigned *passed)
{
    int                   rc;
    unsigned              used;
    charge_t              a[BUDGETS], b[BUDGETS];
    modelguard_id_t       id;
    modelguard_verdict_t  said, right;

    id = client();
    used = make(a, n);
    memcpy(b, a, sizeof(a));

    memset(&said, 0xee, sizeof(said));
    memset(&right, 0xee, sizeof(right));

    rc = MODELGUARD_OK;

    if (below(2)) {
        rc = modelguard_table_pay(quick, &id, a, used, now, &said);

    } else {
        (void) modelguard_table_lock(quick, modelguard_table_shard(quick, &id));
        modelguard_table_charge(quick, &id, a, used, now, &said);
        modelguard_table_unlock(quick, modelguard_table_shard(quick, &id));
    }

    modelguard_table_charge_any(slow, &id, b, used, now, &right);

    *passed += (right.verdict == MODELGUARD_PASSED);

    return rc == MODELGUARD_OK
           && said.verdict == right.verdict
           && said.wait == right.wait
           && said.which == right.which
           && same_charges(a, b, used)
           && (said.verdict != MODELGUARD_PASSED || !spends(a, used)
               || same_journal(&id));
}


/* what else befalls a record */

static void
happen(table_t *table, const modelguard_id_t *id, uint64_t what, uint64_t now)
{
    uint64_t             cursor;
    modelguard_ban_t     ban;
    modelguard_settle_t  settle;

    switch (what) {

    case 0:
        (void) modelguard_table_ban(table, id, 3, now);
        break;

    case 1:
        ban.after = 3;
        ban.in = 60;
        ban.time = 5;

        (void) modelguard_table_strike(table, id, &ban, now);
        break;

    case 2:
        memset(&settle, 0, sizeof(settle));

        settle.name = 1;
        settle.budget = &budgets[0];
        settle.reserved = 1;
        settle.actual = 2;
        settle.then = now;

        (void) modelguard_table_settle(table, id, &settle, 1, now);
        break;

    default:
        cursor = 0;

        (void) modelguard_table_sweep(table, 0, &cursor, 1000, 60, now);
    }
}


static void
live(unsigned n)
{
    unsigned         i, said, differ, passed;
    uint64_t         now, what;
    modelguard_id_t  id;

    for (i = 0; i < n; i++) {
        memset(&budgets[i], 0, sizeof(modelguard_budget_t));

        budgets[i].kind = MODELGUARD_BUDGET_SLIDING;
        budgets[i].window = 2000 + 3000 * i;
        budgets[i].limit = 12 + 8 * ((n - i) / 2);
        budgets[i].burst = (n % 2) ? 3 : 0;
    }

    quick = create(n);
    slow = create(n);
    now = START;
    said = differ = passed = 0;

    for (i = 0; i < ROUNDS && differ == 0; i++) {

        /* to the end of a window, too, and a clock that steps back */

        now += below(16) ? below(60) : below(3 * budgets[0].window);
        now -= below(200) ? 0 : below(3000);

        if (below(20) == 0) {
            id = client();
            what = below(40) ? below(3) : 3;

            happen(quick, &id, what, now);
            happen(slow, &id, what, now);

        } else {
            said += !charge(n, now, &passed);
        }

        differ += !same_tables();
    }

    ok(said == 0 && passed > ROUNDS / 3, "%u budgets: %u charges pass, and %u "
       "of all are told otherwise", n, passed, said);
    ok(differ == 0, "%u budgets: the same records, after %u rounds", n, i);

    free(quick);
    free(slow);
}


/* who does not hold the lock of this table charges nothing in it */

static void
test_moved(void)
{
    charge_t              charges[BUDGETS];
    uint64_t              passed;
    modelguard_id_t       id;
    modelguard_verdict_t  verdict;

    quick = create(BUDGETS);
    id = client();

    charges[0].name = 1;
    charges[0].budget = &budgets[0];
    charges[0].cost = 1;
    charges[0].dry_run = 0;

    (void) modelguard_table_pay(quick, &id, charges, 1, START, &verdict);

    passed = modelguard_table_part(quick, 0)->stat.passed;
    quick->moved = MODELGUARD_TABLE_MOVED;

    ok(passed == 1
       && modelguard_table_pay(quick, &id, charges, 1, START, &verdict)
          == MODELGUARD_TABLE_MOVED
       && modelguard_table_part(quick, 0)->stat.passed == passed,
       "a table that has moved is not charged");

    free(quick);
}


/* a count of charges that neither way makes */

static void
test_none(void)
{
    charge_t              charges[BUDGETS];
    modelguard_id_t       id;
    modelguard_verdict_t  verdict;

    quick = create(BUDGETS);
    id = client();
    (void) make(charges, BUDGETS);

    memset(&verdict, 0xee, sizeof(verdict));

    ok(modelguard_table_pay(quick, &id, charges, 0, START, &verdict)
       == MODELGUARD_OK
       && verdict.verdict == MODELGUARD_LIMITED,
       "no charge at all does not pass");

    charges[0].name = 1;
    charges[0].budget = &budgets[0];
    charges[0].cost = 1;
    charges[0].dry_run = 0;

    ok(modelguard_table_pay(quick, &id, charges, 1, START, &verdict)
       == MODELGUARD_OK
       && verdict.verdict == MODELGUARD_PASSED
       && modelguard_table_pay(quick, &id, charges, 0, START, &verdict)
          == MODELGUARD_OK
       && verdict.verdict == MODELGUARD_LIMITED,
       "nor does it of a client that has a record");
    ok(modelguard_table_lock(quick, modelguard_table_shard(quick, &id))
       == MODELGUARD_OK, "the lock is free after it");

    free(quick);
}


/*
 * What was spent in the window before, above 32 bits: the same as of what is
 * just below, and left to the other way, which both tables come to.
 */

static void
test_before(void)
{
    unsigned              i, failed;
    uint64_t              now;
    charge_t              a, b;
    modelguard_id_t       id;
    modelguard_verdict_t  said, right;

    static const uint64_t  spent[] = {
        UINT32_MAX - 1ULL, UINT32_MAX, UINT32_MAX + 1ULL, 1ULL << 34
    };

    memset(&budgets[0], 0, sizeof(modelguard_budget_t));
    budgets[0].limit = 1ULL << 35;
    budgets[0].window = 60000;

    failed = 0;

    for (i = 0; i < sizeof(spent) / sizeof(spent[0]); i++) {
        quick = create(1);
        slow = create(1);
        id = client();

        memset(&a, 0, sizeof(charge_t));
        a.name = 1;
        a.budget = &budgets[0];
        a.cost = spent[i];

        for (now = START; now < START + 90000; now += 30000) {
            b = a;

            failed += modelguard_table_pay(quick, &id, &a, 1, now, &said)
                      != MODELGUARD_OK;
            modelguard_table_charge_any(slow, &id, &b, 1, now, &right);

            failed += said.verdict != MODELGUARD_PASSED
                      || right.verdict != MODELGUARD_PASSED
                      || !same_charges(&a, &b, 1);
            a.cost = 3;
        }

        now = START + 95000;
        b = a;

        failed += modelguard_table_pay(quick, &id, &a, 1, now, &said)
                  != MODELGUARD_OK;
        modelguard_table_charge_any(slow, &id, &b, 1, now, &right);

        failed += said.verdict != right.verdict || !same_charges(&a, &b, 1)
                  || !same_tables() || a.remaining >= budgets[0].limit;

        free(quick);
        free(slow);
    }

    ok(failed == 0, "2^32 - 2, 2^32 - 1, 2^32 and more spent before");
}


int
main(void)
{
    unsigned  n;

    for (n = 1; n <= BUDGETS; n++) {
        live(n);
    }

    test_moved();
    test_none();
    test_before();

    return tap_done();
}
