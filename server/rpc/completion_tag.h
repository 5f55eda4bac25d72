// What a completion queue gives back when an operation has ended.
#pragma once

namespace mlp {

// Called on the thread that polls the queue.
class CompletionTag {
 public:
  virtual ~CompletionTag() = default;
  // `ok` as gRPC defines it for the operation: false where there is no message, no call, or nobody
  // to send to any more.
  virtual void Completed(bool ok) = 0;
};

// A tag that calls one member function of its owner, for owners with several operations under way.
template <typename Owner>
class MemberTag final : public CompletionTag {
 public:
  MemberTag(Owner& owner, void (Owner::*completed)(bool)) : owner_(owner), completed_(completed) {}
  void Completed(bool ok) override { (owner_.*completed_)(ok); }

 private:
  Owner& owner_;
  void (Owner::*const completed_)(bool);
};

}  // namespace mlp
