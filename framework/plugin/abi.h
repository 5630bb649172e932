/* The boundary between Strata and its plugins: plain C11, and nothing of the STL or Eigen crosses
 * it.
 *
 * Every struct that crosses begins with its size, so that either side can be older: a field is read
 * only where struct_size covers it, and fields are only ever appended. Arrays of structs are walked
 * in steps of their elements' struct_size; strata_value and strata_shape, which stand inside of
 * other structs, never change. Functions return 0, or a strata_error_code after filling the error
 * they were handed; they never throw, and neither does what the host hands in. The C++ headers
 * beside this file (layer.h, loss.h, optimizer.h, …) are the comfortable way to fill these tables;
 * built-in plugins use the same ones.
 *
 * Shapes are per sample: the batch axis is implicit and first. Buffers are dense and row-major,
 * aligned to 64 bytes.
 */
#ifndef STRATA_PLUGIN_ABI_H_
#define STRATA_PLUGIN_ABI_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STRATA_ABI_MAJOR 1 /* equal on both sides */
#define STRATA_ABI_MINOR 1 /* the plugin's is not newer than the host's */
#define STRATA_MAX_RANK 8

/* What a library lets the host see of it. */
#if defined(__GNUC__)
#define STRATA_EXPORT __attribute__((visibility("default")))
#else
#define STRATA_EXPORT
#endif

typedef enum strata_error_code {
  STRATA_OK = 0,
  STRATA_INVALID = 1, /* the model asks for what cannot be: the user's to mend */
  STRATA_DATA = 2,    /* a data file is missing or damaged */
  STRATA_INTERNAL = 3 /* a bug of the plugin */
} strata_error_code;

typedef struct strata_error {
  uint32_t struct_size;
  int32_t code;
  char message[1024]; /* lower case, no full stop, NUL-terminated */
  char hint[512];     /* how to mend it; may be empty */
} strata_error;

typedef enum strata_dtype {
  STRATA_F32 = 0,
  STRATA_F64 = 1,
  STRATA_U8 = 2,  /* bytes of images, 0…255 */
  STRATA_I32 = 3, /* class indices */
  STRATA_REAL = 4 /* f32 or f64, as the run's precision says; never seen in a pass */
} strata_dtype;

typedef struct strata_shape {
  int64_t rank;
  int64_t dims[STRATA_MAX_RANK];
} strata_shape;

/* ---- options
 * ----------------------------------------------------------------------------------------------------
 */

typedef enum strata_value_kind { /* bits, so that an option can accept several */
                                 STRATA_NONE = 1,
                                 STRATA_BOOL = 2,  /* integer: 0 or 1 */
                                 STRATA_INT = 4,   /* integer */
                                 STRATA_FLOAT = 8, /* number; an int is accepted where a float is */
                                 STRATA_STRING = 16, /* text, UTF-8 */
                                 STRATA_LIST = 32,   /* items */
                                 STRATA_PLUGIN = 64  /* plugin: another plugin with its options,
                                                        opaque to this one; text: its name */
} strata_value_kind;

typedef struct strata_value {
  uint32_t struct_size;
  int32_t kind;
  int64_t integer;
  double number;
  const char* text;
  const struct strata_value* items;
  int64_t item_count;
  const void* plugin;
} strata_value;

typedef enum strata_option_flag {
  STRATA_OPTION_REQUIRED = 1, /* has no default */
  STRATA_OPTION_PATH =
      2, /* a file or folder: the host makes it absolute, relative to the model file */
  STRATA_OPTION_MIN_EXCLUSIVE = 4, /* `minimum` itself is not allowed */
  STRATA_OPTION_MAX_EXCLUSIVE = 8
} strata_option_flag;

typedef struct strata_option {
  uint32_t struct_size;
  const char* name;
  const char* doc;
  uint32_t kinds;      /* strata_value_kind bits */
  uint32_t item_kinds; /* of a list's items */
  uint32_t flags;
  int32_t plugin_kind; /* strata_kind, where kinds has STRATA_PLUGIN */
  strata_value default_value;
  double minimum; /* of numbers and of a list's items; -infinity where there is none */
  double maximum;
  const char* const* choices; /* of strings; null where any is allowed */
  int64_t choice_count;
} strata_option;

typedef struct strata_schema {
  uint32_t struct_size;
  const char* doc;              /* first line: one sentence; then more where needed */
  const char* example;          /* a line of the model language */
  const strata_option* options; /* the first one may be given by position */
  int64_t option_count;
  const char* const* inputs; /* names of the values it is called with; null where a layer takes the
                                flow's one value */
  int64_t input_count;
  int32_t variadic; /* takes two or more values: Add(a, b, c) */
  /* What to say to whoever writes an option that does not exist, but that they may know from
   * elsewhere. */
  const char* const* hint_names;
  const char* const* hint_texts;
  int64_t hint_count;
} strata_schema;

/* ---- services of the host
 * ---------------------------------------------------------------------------------------- */

typedef struct strata_services {
  uint32_t struct_size;
  /* Runs body(context, task) for task in [0, tasks), in parallel, and returns when all are done.
   * How work is cut into tasks must depend on shapes alone. May be called from within a task. */
  void (*parallel)(void* host, int64_t tasks, void (*body)(void* context, int64_t task),
                   void* context);
  /* c[m, n] = a[m, k] · b[k, n] + beta · c, in parallel over fixed tiles. A transposed operand is
   * stored as [k, m] or [n, k]. Leading dimensions count elements. beta is 0 or 1; with 0 the old c
   * is not read. */
  void (*matmul)(void* host, int32_t dtype, int32_t transpose_a, int32_t transpose_b, int64_t m,
                 int64_t n, int64_t k, const void* a, int64_t lda, const void* b, int64_t ldb,
                 double beta, void* c, int64_t ldc);
  /* count 32-bit words of the counter-based stream `key`, starting at word `offset`. */
  void (*random)(void* host, const uint64_t key[2], uint64_t offset, int64_t count, uint32_t* out);
  /* As matmul, but on the calling thread: for use inside a task. */
  void (*product)(void* host, int32_t dtype, int32_t transpose_a, int32_t transpose_b, int64_t m,
                  int64_t n, int64_t k, const void* a, int64_t lda, const void* b, int64_t ldb,
                  double beta, void* c, int64_t ldc);
  /* As product with nothing transposed, where one operand is given row by row, so that rows may
   * overlap or lie anywhere (a convolution's columns, without writing them down): with rows_of_b = 0
   * a[i] points to row i of a and b is b[0]; with 1 b[p] points to row p of b and a is a[0]. */
  void (*product_by_rows)(void* host, int32_t dtype, int32_t rows_of_b, int64_t m, int64_t n,
                          int64_t k, const void* const* a, int64_t lda, const void* const* b,
                          int64_t ldb, double beta, void* c, int64_t ldc);
} strata_services;

/* ---- layers
 * ------------------------------------------------------------------------------------------------------
 */

typedef enum strata_layer_flag {
  STRATA_NEEDS_INPUT = 1,  /* backward reads inputs */
  STRATA_NEEDS_OUTPUT = 2, /* backward reads outputs */
  STRATA_IN_PLACE = 4,     /* output 0 may be stored over input 0, and d_input 0 over d_output 0 */
  STRATA_OVERWRITES =
      8, /* backward honours accumulate_inputs; otherwise it adds and the host zeroes first */
  STRATA_BATCH_STATISTICS = 16, /* training needs at least two values per feature in a batch */
  STRATA_VIEW = 32, /* the output is the input under another shape: the host makes it an alias */
  STRATA_HANDS_GRADIENTS = 64 /* backward gives gradients of parameters to pass->gradient, and
                                 d_parameters are null */
} strata_layer_flag;

typedef enum strata_parameter_flag {
  STRATA_DECAY = 1 /* weight decay applies: weights of products, not biases, scales and shifts */
} strata_parameter_flag;

/* Filled by infer. Strings are copied. Each call returns 0, or an error to pass on. */
typedef struct strata_plan {
  uint32_t struct_size;
  void* host;
  void (*add_output)(void* host, const strata_shape* shape);
  /* Learned. `initializer` is the value of a plugin option. */
  void (*add_parameter)(void* host, const char* name, const strata_shape* shape,
                        const strata_value* initializer, int64_t fan_in, int64_t fan_out,
                        uint32_t flags);
  /* Kept between steps and saved, but not learned: running statistics. */
  void (*add_state)(void* host, const char* name, const strata_shape* shape, double initial_value);
  /* Written by forward, read by backward of the same step; per_sample · batch + fixed elements. */
  void (*add_saved)(void* host, int64_t per_sample, int64_t fixed);
  /* For the duration of one call. */
  void (*add_scratch)(void* host, int64_t per_sample, int64_t fixed);
  void (*set_flags)(void* host, uint32_t flags);
  /* Floating-point operations of forward, per sample: a multiply and an add are two. */
  void (*set_flops)(void* host, double per_sample);
  /* A fact for the checker: "cancels-bias", "softmax", "applies-softmax", "random-mask", … */
  void (*add_trait)(void* host, const char* trait);
  /* Losses and metrics: how many doubles of accumulated state, and what it reports. */
  void (*set_accumulator)(void* host, int64_t doubles);
  void (*add_result)(void* host, const char* name, int32_t higher_is_better);
  /* Fusions: elements that `prepare` writes and forward reads in inference. */
  void (*add_prepared)(void* host, int64_t elements);
} strata_plan;

typedef struct strata_input {
  uint32_t struct_size;
  const char* name;  /* of the value or data field; for messages */
  int32_t dtype;     /* STRATA_REAL for values of the graph */
  int32_t is_target; /* 1: a data field; 0: an output of the model */
  int64_t classes;   /* of a label field; 0 where unknown */
  strata_shape shape;
} strata_input;

typedef struct strata_layer_pass {
  uint32_t struct_size;
  int32_t dtype; /* STRATA_F32 or STRATA_F64: the type behind all void* here */
  int32_t training;
  int64_t batch;
  const strata_shape* input_shapes; /* per sample */
  const strata_shape* output_shapes;
  const void* const* inputs;
  void* const* outputs; /* backward: read only */
  const void* const* parameters;
  void* const* state; /* forward in training may change it */
  void* const* saved;
  void* const* scratch;
  const void* const* d_outputs;
  void* const* d_inputs; /* null where no gradient is wanted */
  const uint8_t* accumulate_inputs;
  void* const* d_parameters; /* always added to */
  uint64_t key[2];           /* of this layer's random stream in this step */
  const strata_services* services;
  void* host;
  int64_t input_count;
  /* Backward of layers with STRATA_HANDS_GRADIENTS: the gradient of elements [begin, begin + count)
   * of a parameter, each element once per call of backward, from any task. The host may update
   * those elements at once, so whatever reads them must have run before; it may change `values`. */
  void (*gradient)(void* host, int64_t parameter, int64_t begin, int64_t count, void* values);
  void* const* prepared; /* fusions: what `prepare` wrote; null where it has not run */
} strata_layer_pass;

typedef struct strata_layer {
  uint32_t struct_size;
  int (*infer)(const void* instance, const strata_input* inputs, int64_t input_count,
               strata_plan* plan, strata_error* error);
  int (*forward)(const void* instance, const strata_layer_pass* pass, strata_error* error);
  int (*backward)(const void* instance, const strata_layer_pass* pass, strata_error* error);
} strata_layer;

/* ---- fusions
 * -----------------------------------------------------------------------------------------------------
 */

/* One of the layers that a fusion stands for. */
typedef struct strata_member {
  uint32_t struct_size;
  const char* name; /* of the layer's kind: "Dense" */
  const strata_schema* schema;
  const strata_value* options; /* in the schema's order */
  int64_t option_count;
} strata_member;

/* Does the work of several layers that follow one another, each the only reader of the one before,
 * in fewer passes over memory, and gives what they give within rounding. Parameters and states are
 * the members', in their order. Its entry's create is never called. */
typedef struct strata_fusion {
  uint32_t struct_size;
  const char* const* pattern; /* names of layers, in order */
  int64_t pattern_count;
  /* *instance stays null where it cannot stand for these members; an error says the same. */
  int (*create)(const strata_member* members, int64_t member_count, const strata_shape* input,
                void** instance, strata_error* error);
  void (*destroy)(void* instance);
  /* Buffers and flags; nothing else. */
  int (*infer)(const void* instance, const strata_input* inputs, int64_t input_count,
               strata_plan* plan, strata_error* error);
  int (*forward)(const void* instance, const strata_layer_pass* pass, strata_error* error);
  int (*backward)(const void* instance, const strata_layer_pass* pass, strata_error* error);
  /* For inference alone: writes what depends on parameters and states only (weights with the
   * normalization folded in) to pass->prepared. May be null. */
  int (*prepare)(const void* instance, const strata_layer_pass* pass, strata_error* error);
} strata_fusion;

/* ---- losses and metrics
 * ------------------------------------------------------------------------------------------- */

typedef struct strata_loss_pass {
  uint32_t struct_size;
  int32_t dtype;
  int64_t batch;
  const strata_shape* shapes; /* of the inputs, per sample */
  const void* const* inputs;  /* of the types that infer was told; STRATA_REAL is dtype */
  double* losses;             /* [batch], one per sample */
  void* const* d_inputs;      /* null where no gradient is wanted; overwritten, not added to */
  double scale;               /* gradients are of scale · sum(losses) */
  const strata_services* services;
  void* host;
} strata_loss_pass;

typedef struct strata_loss {
  uint32_t struct_size;
  int (*infer)(const void* instance, const strata_input* inputs, int64_t input_count,
               strata_plan* plan, strata_error* error);
  int (*evaluate)(const void* instance, const strata_loss_pass* pass, strata_error* error);
} strata_loss;

typedef struct strata_metric_pass {
  uint32_t struct_size;
  int32_t dtype;
  int64_t batch;
  const strata_shape* shapes; /* of the inputs, per sample */
  const void* const* inputs;
  double* accumulator; /* zeros at the start of an epoch; batches come in order */
} strata_metric_pass;

typedef struct strata_metric {
  uint32_t struct_size;
  int (*infer)(const void* instance, const strata_input* inputs, int64_t input_count,
               strata_plan* plan, strata_error* error);
  int (*update)(const void* instance, const strata_metric_pass* pass, strata_error* error);
  /* One double per add_result, from the accumulator. */
  int (*results)(const void* instance, const double* accumulator, double* results,
                 strata_error* error);
} strata_metric;

/* ---- optimizers, schedules, initializers
 * -------------------------------------------------------------------------- */

typedef struct strata_update_pass {
  uint32_t struct_size;
  int32_t dtype;
  int64_t count;        /* elements of this slice */
  double learning_rate; /* the optimizer's `lr` times the schedule's factor */
  int64_t step;         /* from 1 */
  int32_t apply_decay;  /* whether weight decay applies to this parameter */
  void* weights;
  const void* gradient;
  void* const* slots;
  /* Since 1.1. */
  int32_t no_decay; /* 1: the file switches weight decay off for this parameter, also where the
                       optimizer's options let it apply to all */
  void* direction;  /* optimizers with `direct`: [count], written by it and read by `update`; it may
                       be where `gradient` is */
  double weight_norm; /* in `update` of optimizers with `direct`: the lengths of the whole parameter
                         and of its whole direction, before the update */
  double direction_norm;
} strata_update_pass;

typedef struct strata_optimizer {
  uint32_t struct_size;
  int64_t (*slot_count)(const void* instance);
  const char* (*slot_name)(const void* instance,
                           int64_t slot); /* "exp_avg"; slots begin as zeros */
  int (*update)(const void* instance, const strata_update_pass* pass, strata_error* error);
  /* Since 1.1; null where there is no need. For rates that follow from lengths of a whole parameter
   * (LARS, LAMB): `direct` moves the slots on and writes which way the slice is to go, element by
   * element; `update` then goes there, as far as weight_norm and direction_norm say, and reads
   * neither gradient nor slots. */
  int (*direct)(const void* instance, const strata_update_pass* pass, strata_error* error);
} strata_optimizer;

/* What a schedule with a state is told at the end of an epoch. Since 1.1. */
typedef struct strata_observation {
  uint32_t struct_size;
  int32_t higher_is_better; /* whether more of the figure is better */
  int64_t epoch;            /* that is over, from 1 */
  double figure;            /* that it follows, of this epoch */
  double* state;            /* [state_count]: as the epoch before left it, zeros at first */
} strata_observation;

typedef struct strata_schedule {
  uint32_t struct_size;
  /* What the learning rate is multiplied by at `step` (from 0) of `total_steps`. */
  double (*factor)(const void* instance, int64_t step, int64_t total_steps,
                   int64_t steps_per_epoch);
  /* Since 1.1; null where the factor follows from the step alone. A state of some doubles is saved
   * with the run; `factor` is then what `factor_after` gives for a state of zeros. */
  int64_t (*state_count)(const void* instance);
  const char* (*monitored)(const void* instance); /* "val.loss"; null or empty: what the run's
                                                     `monitor` says */
  int (*observe)(const void* instance, const strata_observation* seen, strata_error* error);
  double (*factor_after)(const void* instance, const double* state, int64_t step,
                         int64_t total_steps, int64_t steps_per_epoch);
} strata_schedule;

typedef struct strata_initializer_pass {
  uint32_t struct_size;
  const strata_shape* shape;
  int64_t fan_in;
  int64_t fan_out;
  uint64_t key[2];
  int64_t count;
  double* out; /* rounded to the run's precision afterwards, so f32 and f64 runs start alike */
  const strata_services* services;
  void* host;
} strata_initializer_pass;

typedef struct strata_initializer {
  uint32_t struct_size;
  int (*fill)(const void* instance, const strata_initializer_pass* pass, strata_error* error);
} strata_initializer;

/* ---- data
 * ---------------------------------------------------------------------------------------------------------
 */

typedef struct strata_field {
  uint32_t struct_size;
  const char* name;
  int32_t dtype;
  int64_t classes; /* of a label; 0 otherwise */
  strata_shape shape;
} strata_field;

/* Filled by describe and by a transform's infer. Strings are copied. */
typedef struct strata_data_plan {
  uint32_t struct_size;
  void* host;
  void (*add_field)(void* host,
                    const strata_field* field); /* the first one is the model's usual input */
  void (*add_split)(void* host, const char* name,
                    int64_t samples); /* "train", "val"; -1: unknown before open */
  void (*add_class_name)(void* host, const char* field, const char* name);
  /* Since 1.1. Transforms: numbers that `fit` finds in the training split, saved by this name. */
  void (*add_fitted)(void* host, const char* name, const strata_shape* shape);
} strata_data_plan;

typedef struct strata_dataset {
  uint32_t struct_size;
  /* Fields, and splits where known, reading no data if that can be. */
  int (*describe)(void* instance, strata_data_plan* plan, strata_error* error);
  /* Loads or maps the data and checks it whole. `folders`: where data sets without a `path` are
   * looked up, in order. */
  int (*open)(void* instance, const char* const* folders, int64_t folder_count,
              strata_data_plan* plan, strata_error* error);
  /* Copies samples `indices` of a split into fields[f] + i · elements(f) · sizeof. Called from many
   * threads. */
  int (*read)(const void* instance, int64_t split, const int64_t* indices, int64_t count,
              int32_t real_dtype, void* const* fields, strata_error* error);
} strata_dataset;

typedef struct strata_transform_pass {
  uint32_t struct_size;
  int32_t real_dtype; /* what STRATA_REAL is */
  int32_t training;   /* 1 on the training split while training: augmentations act only then */
  int64_t count;      /* samples */
  const void* const* inputs; /* one per input field, in order */
  void* const*
      outputs; /* one per output field; may equal its input where shape and type are the same */
  const uint64_t* keys; /* [count, 2]: a random stream per sample; in apply_batch [1, 2] */
  const strata_services* services;
  void* host;
  const double* fitted; /* since 1.1: what `fit` found, one add_fitted after the other; null where
                           the transform has none */
} strata_transform_pass;

/* Since 1.1. */
typedef struct strata_fit_pass {
  uint32_t struct_size;
  int32_t real_dtype;        /* what STRATA_REAL is */
  int64_t count;             /* samples */
  const void* const* inputs; /* one per input field, in order */
  double* fitted;            /* zeros at first */
} strata_fit_pass;

typedef struct strata_transform {
  uint32_t struct_size;
  int (*infer)(const void* instance, const strata_field* fields, int64_t field_count,
               strata_data_plan* plan, strata_error* error);
  int (*apply)(const void* instance, const strata_field* fields, int64_t field_count,
               const strata_transform_pass* pass, strata_error* error);
  /* Since 1.1; null where nothing is fitted. Before training, `fit` sees every sample of the
   * training split once, in order, some at a time, and `finish_fit` then makes what `apply` reads
   * of it. */
  int (*fit)(const void* instance, const strata_field* fields, int64_t field_count,
             const strata_fit_pass* pass, strata_error* error);
  int (*finish_fit)(const void* instance, const strata_field* fields, int64_t field_count,
                    double* fitted, strata_error* error);
  /* Since 1.1; null where samples are transformed one by one. In place of `apply`: sees a whole
   * batch at once, with one random stream for it. Outputs are never where inputs are. */
  int (*apply_batch)(const void* instance, const strata_field* fields, int64_t field_count,
                     const strata_transform_pass* pass, strata_error* error);
} strata_transform;

/* ---- what a library offers
 * ----------------------------------------------------------------------------------------- */

typedef enum strata_kind {
  STRATA_LAYER = 0,
  STRATA_LOSS = 1,
  STRATA_METRIC = 2,
  STRATA_OPTIMIZER = 3,
  STRATA_SCHEDULE = 4,
  STRATA_INITIALIZER = 5,
  STRATA_DATASET = 6,
  STRATA_TRANSFORM = 7,
  STRATA_FUSION = 8
} strata_kind;

typedef struct strata_entry {
  uint32_t struct_size;
  int32_t kind;
  const char* name; /* CapWords */
  const strata_schema* schema;
  /* `options` are validated against the schema, in its order; values live as long as the instance.
   */
  int (*create)(const strata_value* options, int64_t option_count, void** instance,
                strata_error* error);
  void (*destroy)(void* instance);
  const void* functions; /* strata_layer, strata_loss, … as `kind` says */
} strata_entry;

/* What a shared library says of itself: the data symbol `strata_plugin_tag`. The host reads it from
 * the file, before any code of the library runs. */
#define STRATA_TAG_MAGIC "STRATA\n"
typedef struct strata_tag {
  char magic[8]; /* STRATA_TAG_MAGIC */
  uint32_t struct_size;
  uint32_t abi_major; /* STRATA_ABI_MAJOR and STRATA_ABI_MINOR of the header it was built with */
  uint32_t abi_minor;
  uint32_t reserved; /* 0 */
  char name[64];     /* what files require: lower case, digits and _, NUL-terminated */
  char version[32];  /* "1.2" or "1.2.3", NUL-terminated */
} strata_tag;
#define STRATA_TAG(plugin_name, plugin_version)                                            \
  {                                                                                        \
    STRATA_TAG_MAGIC, (uint32_t)sizeof(strata_tag), STRATA_ABI_MAJOR, STRATA_ABI_MINOR, 0, \
        plugin_name, plugin_version                                                        \
  }

typedef struct strata_library {
  uint32_t struct_size;
  const strata_entry* const* entries; /* live as long as the library is loaded */
  int64_t entry_count;
} strata_library;

/* The two symbols of a shared library. In C++, STRATA_PLUGIN(name, version) of registration.h
 * defines both. The function fills `library` in and is called once. */
extern STRATA_EXPORT const strata_tag strata_plugin_tag;
extern STRATA_EXPORT int strata_plugin_entries(strata_library* library, strata_error* error);

#ifdef __cplusplus
}
#endif
#endif /* STRATA_PLUGIN_ABI_H_ */
