/* Evaluates forests (core/predict/forest.py) on rows: the sum of the leaves that each row reaches, per output; and all
 * members of an ensemble (core/predict/program.py), each with the steps that widen its rows.
 *
 * The sums are added tree after tree, as the numpy evaluator adds them, so that both give the same bits. Nothing is
 * allocated, written outside of the results and `scratch`, or kept: any number of threads may call with the same forest.
 * The caller has checked the forest; every index in it is within its array, and every walk ends in a leaf.
 */

#include <stdint.h>

#include "kernel_steps.h"

/* Siblings lie side by side, the right one after the left one, and a leaf is its own left child. */
typedef struct {
    double cut; /* the threshold; of a node that asks for a set, which set; of a leaf, its value or its row of values */
    int32_t left;
    uint32_t ask; /* the column, and the bits below */
} Node;

#define MISSING_GOES_RIGHT 0x80000000u
#define INNER 0x40000000u
#define SET 0x20000000u
#define COLUMN 0x1FFFFFFFu
#define LANES 8 /* walks that wait for memory at the same time; the compiler unrolls them */

typedef struct {
    const Node *nodes;
    const int32_t *roots;
    const int32_t *output;     /* of each tree; NULL where the leaves hold a value for each output */
    const double *leaves;      /* rows of values, where the leaves hold such */
    const double *fill;        /* what stands for NaN, by column; NULL where nothing is filled */
    const double *above;       /* by node that asks for a set: what is up to here, at least -1, is not in it */
    const int32_t *begin;      /* the same: where the set's words begin */
    const int32_t *size;       /* the same: how many there are */
    const uint32_t *words;
    const double *base;        /* where the sums of float32 begin */
    int64_t trees, outputs;
    int32_t sets, cast32, sum32;
} Forest;

static int in_set(const Forest *forest, int32_t set, double x) {
    if (!(x > forest->above[set] && x < 32.0 * forest->size[set]))
        return 0;
    const int64_t code = (int64_t)x;
    return forest->words[forest->begin[set] + (code >> 5)] >> (code & 31) & 1;
}

static inline int32_t step(const Forest *forest, const double *row, int32_t at, int sets, int missing) {
    const Node *node = forest->nodes + at;
    const double x = row[node->ask & COLUMN];
    uint32_t right = x > node->cut;
    if (sets && (node->ask & SET))
        right = x == x && !in_set(forest, (int32_t)node->cut, x);
    if (missing)
        right |= (x != x) & (node->ask / MISSING_GOES_RIGHT);
    return node->left + (int32_t)(right & (node->ask / INNER));
}

/* All lanes go down together until none moves. */
static inline void walk(const Forest *forest, const double *const rows[LANES], int32_t at[LANES], int sets,
                        int missing) {
    int32_t moved;
    do {
        moved = 0;
        for (int lane = 0; lane < LANES; lane++) {
            const int32_t next = step(forest, rows[lane], at[lane], sets, missing);
            moved |= next ^ at[lane];
            at[lane] = next;
        }
    } while (moved);
}

static inline void descend(const Forest *forest, const double *const rows[LANES], int32_t at[LANES], int missing) {
    if (forest->sets)
        walk(forest, rows, at, 1, 1);
    else if (missing)
        walk(forest, rows, at, 0, 1);
    else
        walk(forest, rows, at, 0, 0);
}

static inline void add(const Forest *forest, int64_t tree, int32_t leaf, double *sums) {
    const double value = forest->nodes[leaf].cut;
    if (forest->output) {
        double *sum = sums + forest->output[tree];
        *sum = forest->sum32 ? (double)((float)*sum + (float)value) : *sum + value;
        return;
    }
    const double *values = forest->leaves + (int64_t)value * forest->outputs;
    for (int64_t output = 0; output < forest->outputs; output++)
        sums[output] += values[output];
}

/* One row: the lanes are trees, and one that is left over is walked again beside the last ones. */
static void one_row(const Forest *forest, const double *row, int missing, double *sums) {
    const double *rows[LANES];
    int32_t at[LANES];
    for (int lane = 0; lane < LANES; lane++)
        rows[lane] = row;
    for (int64_t first = 0; first < forest->trees; first += LANES) {
        const int64_t count = forest->trees - first < LANES ? forest->trees - first : LANES;
        for (int lane = 0; lane < LANES; lane++)
            at[lane] = forest->roots[first + (lane < count ? lane : 0)];
        descend(forest, rows, at, missing);
        for (int lane = 0; lane < count; lane++)
            add(forest, first + lane, at[lane], sums);
    }
}

/* As many rows as there are lanes: a tree stays in the nearest cache while all of them go down in it. */
static void some_rows(const Forest *forest, const double *matrix, int64_t width, int64_t count, int missing,
                      double *sums, int64_t stride) {
    const double *rows[LANES];
    int32_t at[LANES];
    for (int64_t tree = 0; tree < forest->trees; tree++)
        for (int64_t first = 0; first < count; first += LANES) {
            for (int lane = 0; lane < LANES; lane++) {
                rows[lane] = matrix + (first + lane < count ? first + lane : first) * width;
                at[lane] = forest->roots[tree];
            }
            descend(forest, rows, at, missing);
            for (int lane = 0; lane < LANES && first + lane < count; lane++)
                add(forest, tree, at[lane], sums + (first + lane) * stride);
        }
}

/* The rows as the trees compare them, or as they are where nothing is changed; `to` may be `from`. */
static const double *prepared(const Forest *forest, const double *from, int64_t width, int64_t count, double *to) {
    if (!forest->fill && !forest->cast32)
        return from;
    for (int64_t row = 0; row < count; row++)
        for (int64_t column = 0; column < width; column++) {
            double x = from[row * width + column];
            if (forest->fill && x != x)
                x = forest->fill[column];
            to[row * width + column] = forest->cast32 ? (double)(float)x : x;
        }
    return to;
}

/* The sums of some rows, each `stride` behind those of the row before. */
static void walk_rows(const Forest *forest, const double *from, int64_t width, int64_t count, double *sums,
                      int64_t stride, double *scratch) {
    const double *rows = prepared(forest, from, width, count, scratch);
    int missing = 0;
    for (int64_t at = 0; at < count * width; at++)
        missing |= rows[at] != rows[at];
    for (int64_t row = 0; row < count; row++)
        for (int64_t output = 0; output < forest->outputs; output++)
            sums[row * stride + output] = forest->sum32 ? (double)(float)forest->base[output] : 0.0;
    if (count >= LANES)
        some_rows(forest, rows, width, count, missing, sums, stride);
    else
        for (int64_t row = 0; row < count; row++)
            one_row(forest, rows + row * width, missing, sums + row * stride);
}

/* The sums of `rows` rows of `width` columns; `scratch` has room for `block` rows. */
void slipway_sums(const Forest *forest, const double *matrix, int64_t rows, int64_t width, double *sums,
                  double *scratch, int64_t block) {
    for (int64_t first = 0; first < rows; first += block) {
        const int64_t count = rows - first < block ? rows - first : block;
        walk_rows(forest, matrix + first * width, width, count, sums + first * forest->outputs, forest->outputs,
                  scratch);
    }
}

/* A member: one of the three. The sums of a forest are multiplied by `scale`. */
typedef struct {
    const Forest *forest;
    const Linear *linear;
    const Network *network;
    const Step *steps;
    double scale;
    int64_t stepped, added, width; /* how many steps, their columns, and all columns with the room of a network */
} Member;

static const double *widened(const Member *member, const double *from, int64_t columns, int64_t count, double *to) {
    if (!member->stepped && !member->network)
        return from;
    for (int64_t row = 0; row < count; row++) {
        double *wide = to + row * member->width;
        for (int64_t column = 0; column < columns; column++)
            wide[column] = from[row * columns + column];
        widen(member->steps, member->stepped, wide, columns);
    }
    return to;
}

static void margins_of(const Member *member, const double *rows, int64_t columns, int64_t count, int64_t outputs,
                       double *margins, int64_t stride, double *scratch) {
    for (int64_t row = 0; row < count && member->linear; row++)
        add_up(member->linear, rows + row * member->width, margins + row * stride);
    for (int64_t row = 0; row < count && member->network; row++) {
        double *wide = scratch + row * member->width; /* where `widened` has put it */
        pass_through(member->network, wide, wide + columns + member->added, margins + row * stride);
    }
    if (!member->forest)
        return;
    walk_rows(member->forest, rows, member->width, count, margins, stride, scratch);
    if (member->forest->sum32) /* these begin with the base */
        return;
    for (int64_t row = 0; row < count; row++)
        for (int64_t output = 0; output < outputs; output++) {
            double *margin = margins + row * stride + output;
            *margin = *margin * member->scale + member->forest->base[output];
        }
}

/* Of each margin, what LINKS["sigmoid"] gives: 1 less the probability, and that. Before, `powers` has exp(-|margin|). */
void slipway_sigmoid(const double *margins, const double *powers, int64_t count, double *said) {
    for (int64_t at = 0; at < count; at++) {
        const double positive = (margins[at] >= 0 ? 1.0 : powers[at]) / (1.0 + powers[at]);
        said[2 * at] = 1.0 - positive;
        said[2 * at + 1] = positive;
    }
}

/* What each of the members, all of so many outputs, says of each row before the link (rows x members x outputs);
 * `scratch` has room for `block` of the widest rows. */
void slipway_margins(const Member *members, int64_t count, int64_t outputs, const double *matrix, int64_t rows,
                     int64_t columns, double *margins, double *scratch, int64_t block) {
    const int64_t stride = count * outputs;
    for (int64_t first = 0; first < rows; first += block) {
        const int64_t some = rows - first < block ? rows - first : block;
        for (int64_t at = 0; at < count; at++) {
            const double *wide = widened(members + at, matrix + first * columns, columns, some, scratch);
            margins_of(members + at, wide, columns, some, outputs, margins + first * stride + at * outputs, stride,
                       scratch);
        }
    }
}

/* The weighted sums of what members say (rows x members x classes), per bag of them (bags x rows x classes); those of
 * bag `b` end before member `ends[b]`. They are added one after the other, as `bagged` adds them. */
void slipway_means(const double *said, const double *shares, const int64_t *ends, int64_t bags, int64_t rows,
                   int64_t members, int64_t classes, double *means) {
    for (int64_t bag = 0, first = 0; bag < bags; first = ends[bag++])
        for (int64_t row = 0; row < rows; row++) {
            const double *own = said + row * members * classes;
            double *mean = means + (bag * rows + row) * classes;
            for (int64_t class = 0; class < classes; class++) {
                mean[class] = own[first * classes + class] * shares[first];
                for (int64_t at = first + 1; at < ends[bag]; at++)
                    mean[class] += own[at * classes + class] * shares[at];
            }
        }
}
