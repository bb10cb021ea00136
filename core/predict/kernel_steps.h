/* What stands around the trees: fitted steps that add columns to a row (steps.py, scores.py), linear models, networks.
 *
 * Steps give the bits that numpy gives; sums of the others are added one by one, which may change their last digit.
 * The caller has checked that every column is in the row, and every place in its table.
 */

#include <math.h>
#include <stdint.h>

typedef struct {
    const int64_t *column, *size, *stride; /* of each part of a key */
    const uint8_t *numeric;
    const double *edges; /* `ranges` a part */
    const int64_t *first; /* part of each key, and behind the last one */
    const int64_t *start; /* row of the table at which a key's places begin */
    const double *table;  /* `values` a row */
    int64_t keys, ranges, values;
} Lookup;

typedef struct {
    const int64_t *left, *right, *operation;
    int64_t count;
} Arithmetic;

typedef struct {
    const int64_t *column;
    const int64_t *start; /* knot of each column, and behind the last one */
    const double *knot, *score;
    int64_t count;
} Scores;

typedef struct {
    const int64_t *numeric;
    const double *center, *scale, *coef, *absent; /* the last two: `outputs` a column */
    const int64_t *text, *start, *size;
    const double *table, *intercept;
    int64_t numbers, texts, outputs;
} Linear;

typedef struct {
    const double *weights, *bias; /* from each unit of the layer before to each of the `units` here */
    int64_t units;
} Layer;

typedef struct {
    const Linear *first;
    const Layer *layers;
    int64_t count, cosines, widest;
} Network;

enum { LOOKUP, ARITHMETIC, SCORES };
enum { DIFFERENCE, RATIO, PRODUCT, SUM };

typedef struct {
    int64_t kind, adds;
    const void *what;
} Step;

#define BORDER 3.4028234663852886e+38 /* the largest float32 */

/* A value that is missing, or was never seen, has the last place. */
static int64_t place_of(const Lookup *lookup, int64_t part, double x) {
    const int64_t size = lookup->size[part];
    if (x != x)
        return size;
    if (!lookup->numeric[part])
        return x >= 0 && x < (double)size ? (int64_t)x : size;
    const double *edges = lookup->edges + part * lookup->ranges;
    int64_t range = 0;
    for (int64_t at = 0; at < lookup->ranges; at++)
        range += x > edges[at];
    return range < size ? range : size;
}

static void look_up(const Lookup *lookup, const double *row, double *added) {
    for (int64_t key = 0; key < lookup->keys; key++) {
        int64_t at = lookup->start[key];
        for (int64_t part = lookup->first[key]; part < lookup->first[key + 1]; part++)
            at += lookup->stride[part] * place_of(lookup, part, row[lookup->column[part]]);
        for (int64_t value = 0; value < lookup->values; value++)
            *added++ = lookup->table[at * lookup->values + value];
    }
}

static double calculated(int64_t operation, double left, double right) {
    if (operation == DIFFERENCE)
        return left - right;
    if (operation == RATIO)
        return right == 0 ? NAN : left / right;
    return operation == PRODUCT ? left * right : left + right;
}

static void calculate(const Arithmetic *arithmetic, const double *row, double *added) {
    for (int64_t at = 0; at < arithmetic->count; at++) {
        const double x =
            calculated(arithmetic->operation[at], row[arithmetic->left[at]], row[arithmetic->right[at]]);
        added[at] = x < -BORDER ? -BORDER : x > BORDER ? BORDER : x;
    }
}

/* On the line between the knots at both sides; beyond the first and the last one, what stands there. */
static double scored(const double *knot, const double *score, int64_t count, double x) {
    int64_t low = 0, high = count; /* the first knot above x is among these */
    if (x != x)
        return x;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        if (x < knot[middle])
            high = middle;
        else
            low = middle + 1;
    }
    if (low == 0)
        return score[0];
    if (low == count)
        return score[count - 1];
    const double slope = (score[low] - score[low - 1]) / (knot[low] - knot[low - 1]);
    return slope * (x - knot[low - 1]) + score[low - 1];
}

static void score(const Scores *scores, const double *row, double *added) {
    for (int64_t at = 0; at < scores->count; at++) {
        const int64_t first = scores->start[at];
        added[at] = scored(scores->knot + first, scores->score + first, scores->start[at + 1] - first,
                           row[scores->column[at]]);
    }
}

/* Each step reads what the earlier ones have added, behind the first `columns` of the row. */
static void widen(const Step *steps, int64_t count, double *row, int64_t columns) {
    for (int64_t at = 0; at < count; at++) {
        double *added = row + columns;
        if (steps[at].kind == LOOKUP)
            look_up(steps[at].what, row, added);
        else if (steps[at].kind == ARITHMETIC)
            calculate(steps[at].what, row, added);
        else
            score(steps[at].what, row, added);
        columns += steps[at].adds;
    }
}

static inline void add_times(const double *values, double times, int64_t count, double *sums) {
    for (int64_t at = 0; at < count; at++)
        sums[at] += values[at] * times;
}

static void add_up(const Linear *linear, const double *row, double *sums) {
    const int64_t outputs = linear->outputs;
    for (int64_t output = 0; output < outputs; output++)
        sums[output] = linear->intercept[output];
    for (int64_t at = 0; at < linear->numbers; at++) {
        const double x = (row[linear->numeric[at]] - linear->center[at]) / linear->scale[at];
        const int known = x == x;
        add_times((known ? linear->coef : linear->absent) + at * outputs, known ? x : 1.0, outputs, sums);
    }
    for (int64_t at = 0; at < linear->texts; at++) {
        const double code = row[linear->text[at]];
        const int64_t size = linear->size[at];
        const int64_t place = code >= 0 && code < (double)size ? (int64_t)code : size;
        add_times(linear->table + (linear->start[at] + place) * outputs, 1.0, outputs, sums);
    }
}

/* `room` is for two layers of the widest. */
static void pass_through(const Network *network, const double *row, double *room, double *sums) {
    double *from = room, *other = room + network->widest;
    int64_t units = network->first->outputs;
    add_up(network->first, row, from);
    for (int64_t at = 0; at < network->count; at++) {
        const Layer *layer = network->layers + at;
        double *to = at == network->count - 1 ? sums : other;
        for (int64_t unit = 0; unit < layer->units; unit++)
            to[unit] = layer->bias[unit];
        for (int64_t unit = 0; unit < units; unit++) {
            const double active = network->cosines ? cos(from[unit]) : from[unit] < 0 ? 0.0 : from[unit];
            add_times(layer->weights + unit * layer->units, active, layer->units, to);
        }
        other = from;
        from = to;
        units = layer->units;
    }
}
