// OneHot: a class number as a list with a one at its class, for losses that compare with values and
// for MixUp.
#include <algorithm>
#include <optional>

#include "framework/plugin/transform.h"

namespace strata::plugins {
namespace {

class OneHot final : public Transform {
 public:
  struct Options {
    std::string field = "label";
    std::string to = "one_hot";
    std::optional<std::int64_t> classes;
  };

  static void describe(Schema<Options>& schema) {
    schema
        .doc(
            "Adds a field of shape [classes] with a 1 at the class of each sample, and 0 "
            "elsewhere.\n"
            "The class numbers stay, for metrics such as Accuracy.")
        .example("OneHot(\"label\", to = \"one_hot\")");
    schema.option("field", &Options::field).doc("the field with class numbers");
    schema.option("to", &Options::to).doc("what the new field is called");
    schema.option("classes", &Options::classes)
        .min(1)
        .doc("how many classes there are; none: as many as the data say");
    schema.hint_for("num_classes", "it is called `classes` here");
  }

  explicit OneHot(const Options& options) : options_(options) {}

  DataPlan infer(const std::vector<Field>& fields) const {
    DataPlan plan;
    const Field* labels = nullptr;
    std::string names;
    for (const Field& field : fields) {
      if (field.name == options_.to)
        throw PluginError(text("the data has a field `", options_.to, "` already"),
                          "give the new one another name: to = \"…\"");
      if (field.name == options_.field) labels = &field;
      names += (names.empty() ? "`" : ", `") + field.name + "`";
      plan.field(field);
    }
    if (!labels)
      throw PluginError(text("the data has no field `", options_.field, "`: it has ", names));
    if (labels->dtype != STRATA_I32 || labels->shape.rank() != 0)
      throw PluginError(text("OneHot reads a class number per sample, and `", labels->name,
                             "` is none (its shape is ", labels->shape.text(), ")"));
    if (options_.classes && *options_.classes < labels->classes)
      throw PluginError(text("`", labels->name, "` has ", labels->classes,
                             " classes, and `classes` is ", *options_.classes));
    const std::int64_t classes = options_.classes.value_or(labels->classes);
    if (classes < 1)
      throw PluginError(text("the data do not say how many classes `", labels->name, "` has"),
                        "say it: OneHot(classes = …)");
    return plan.field({options_.to, STRATA_REAL, {classes}, 0});
  }

  // label: [samples]; out: [samples, classes]
  template <class T>
  void apply(const TransformPass<T>& pass) const {
    const int label = pass.find(options_.field);
    const std::int64_t classes = options_.classes.value_or(pass.classes(label));
    const auto* labels = pass.template input<std::int32_t>(label);
    T* out = pass.template output<T>(pass.field_count());  // behind all that were there
    std::fill_n(out, pass.count() * classes, T(0));
    for (std::int64_t i = 0; i < pass.count(); ++i) {
      if (labels[i] < 0 || labels[i] >= classes)
        throw PluginError(
            text("`", options_.field, "` holds ", labels[i], ", which is no class: there are ",
                 classes, ", from 0 to ", classes - 1),
            {}, STRATA_DATA);
      out[i * classes + labels[i]] = T(1);
    }
  }

 private:
  const Options options_;
};

const TransformRegistration<OneHot> kRegistration{"OneHot"};

}  // namespace
}  // namespace strata::plugins
