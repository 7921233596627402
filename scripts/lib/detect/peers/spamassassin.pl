# SpamAssassin's Bayes alone, no rules: reads exams as JSON from standard input, writes one line of JSON for each.
use strict;
use warnings;
use JSON::PP;
use Mail::SpamAssassin;
use File::Path qw(remove_tree make_path);

my ($work) = @ARGV;
my $exams = do { local $/; decode_json(<STDIN>) };
make_path("$work/rules");
open my $empty, '>', "$work/rules/none.cf" or die $!;
close $empty;
$| = 1;

sub slurp { open my $mail, '<:raw', $_[0] or die "$_[0]: $!"; local $/; return <$mail> }

for my $exam (@$exams) {
  my (%scores, %folds);
  $folds{$_->{fold}} = 1 for @{$exam->{questions}};
  for my $fold (sort keys %folds) {
    my $dir = "$work/db";
    remove_tree($dir);
    make_path($dir);
    my $assassin = Mail::SpamAssassin->new({
      rules_filename => "$work/rules", site_rules_filename => "$work/rules", userstate_dir => $dir,
      local_tests_only => 1, dont_copy_prefs => 1,
      config_text => "loadplugin Mail::SpamAssassin::Plugin::Bayes\nloadplugin Mail::SpamAssassin::Plugin::Check\n"
        . "use_bayes 1\nbayes_path $dir/bayes\nbayes_auto_learn 0\nbayes_min_ham_num 5\nbayes_min_spam_num 5\n"
        . "bayes_learn_to_journal 0\nbayes_auto_expire 0\nlock_method flock\nreport_safe 0\n",
    });
    $assassin->init(1);
    $assassin->init_learner({ force_expire => 0, learn_to_journal => 0, wait_for_lock => 1, caller_will_untie => 1 });
    for my $question (@{$exam->{questions}}) {
      next if $question->{fold} == $fold;
      my $mail = $assassin->parse(slurp($question->{file}), 0);
      $assassin->learn($mail, $question->{file}, $question->{positive} ? 1 : 0, 0);
      $mail->finish;
    }
    my ($bayes) = grep { ref($_) eq 'Mail::SpamAssassin::Plugin::Bayes' } @{$assassin->{plugins}->{plugins}};
    for my $question (@{$exam->{questions}}) {
      next if $question->{fold} != $fold;
      my $mail = $assassin->parse(slurp($question->{file}), 0);
      my $status = Mail::SpamAssassin::PerMsgStatus->new($assassin, $mail);
      my $score = $bayes->scan($status, $mail);
      $scores{$question->{file}} = defined $score ? $score : 0.5;
      $status->finish;
      $mail->finish;
    }
    $assassin->finish_learner;
    $assassin->finish;
  }
  print encode_json({ name => $exam->{name}, scores => [map { 0 + $scores{$_->{file}} } @{$exam->{questions}}] }), "\n";
}
