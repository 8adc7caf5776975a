"""The words by which a record denies, dates, attributes or doubts what it names. Data of negation.py,
which says how far each reaches. Lower case, without punctuation at the edges.
"""

from __future__ import annotations


def _lines(text: str) -> tuple[str, ...]:
    return tuple(phrase.strip() for phrase in text.replace("\n", ";").split(";") if phrase.strip())


# Look like a denial and are none.
NOT_A_TRIGGER = _lines("""
    no interest; no pleasure; no appetite; no energy; no strength; no feeling; no sensation; no sleep; no urine
    no bowel movement; no bowel movements; no wet diapers; no periods; no control; no taste; no motivation; no joy
    not only; not just; not merely; not necessarily; no change; no changes; not changed; unchanged; no longer able
    not sure; not certain; no doubt; no wonder; no improvement; no relief; not improved; not improving; not improve
    did not improve; no better; not better; not any better; no worse; not controlled; not well controlled
    not resolved; has not resolved; have not resolved; did not resolve; not resolving; not cleared; has not cleared
    not gone; has not gone; not go away; does not go away; did not go away; won't go away; will not go away
    hasn't gone; never went away; not relieved; not helped; did not help; does not help; didn't help; not helping
    not responding; not responded; no response; not respond; did not respond; no increase; no decrease; no progress
    without difficulty; without relief; without improvement; without warning; without provocation
    without apparent cause; without cause; without reason; without trying; without help; without success
    without effect; without response; with or without; no apparent reason; no obvious reason; no known cause
    no obvious cause; no clear cause; no reason; no sooner; no more than; no less than; no matter; no idea; not well
    not able to; not been able to; cannot; can not; could not; not extend; not drain; not tolerate; not tolerating
    unable to; not sleeping; not sleep; not eating; not drinking; not feeding; not hear; not see; not bear weight
    not weight bearing; not stop; not stopped; has not stopped; not subsided; not settled; not healed; not healing
    not yet resolved; no one; nobody; gram negative; rh negative; deny that; past medical history; past history
    past surgical history; previous records; prior records; prior to; prior authorization
    history of present illness; history of the present illness; present illness; past several; past few; past week
    past weeks; past month; past months; past two; past three; past four; past five; past six; past day; past days
    past 24; past 48; over the past; for the past; in the past week; in the past month; in the past day
    in the past few; in the past two; in the past three; in the past 24; in the past several; almost resolved
    partially resolved; partly resolved; not completely resolved; incompletely resolved; not fully resolved
    never resolved; until resolved; stopped by; stopped taking; stopped eating; stopped drinking; stopped working
    stopped breathing; has to stop; as if; previously healthy; previously well; previously scheduled; no previous
    no prior; even if; if anything; not a day without; not a night without; never without; rarely without
    not without; no stranger to; no less; not uncommon; not unusual; not infrequent; not infrequently; long history of
    has history of; has a history of; have a history of; with history of; with a history of
    longstanding history of; lifelong history of; strong history of; not until; no sooner than; not tolerated
    did not tolerate; no benefit; no benefit from; no help; no effect; no effect on; no response to; no let-up
    no end of; no remission; not in remission; no longer controlled; no longer responds; no longer tolerates
    no longer sleeps; no longer walks; no longer eats; no longer works
""")

# Deny the list that follows them.
DENIES_WHAT_FOLLOWS = _lines("""
    no; without; w/o; denies; denied; deny; denying; denies any; denies having; he denies; she denies; negative for
    neg for; no evidence of; no evidence for; no signs of; no sign of; no signs or symptoms of; no symptoms of
    no history of; no hx of; no h/o; no past history of; no previous history of; no prior history of
    no known history of; no previous; no prior; no family history of; without evidence of; without signs of
    without any; without history of; free of; free from; absence of; lack of; lacks; lacking; never had; never has
    has never had; never; nor; neither; fails to reveal; failed to reveal; fails to show; did not reveal
    does not reveal; did not show; does not show; does not demonstrate; did not demonstrate; not reveal any
    does not have; does not have any; did not have; doesn't have; didn't have; do not have; don't have; has not had
    hasn't had; have not had; had not had; has not experienced; has not noticed; has not noted; did not notice
    does not notice; did not experience; does not experience; not experienced; not had; unremarkable for; nil
    no complaints of; no complaint of; no complaints; no known; not complaining of; does not complain of
    did not complain of; no reports of; does not report; did not report; not reported; does not endorse; has no
    had no; have no; having no; with no; no new; no longer; no longer has; no longer had; no longer having; no more
    cannot see any; could not see any; not associated with; is not associated with; no associated; exclude; excludes
    ruled out for; rules out; ruled out; not suffering from; not suggestive of; not consistent with
    no suggestion of; not demonstrate; resolution of; no indication of; no recurrence of; no episodes of; no further
    no recent; no acute; no obvious; no significant; no appreciable; no palpable; no visible; non; none of
    not currently; not currently having; not having; not taking any; unaware of; nil of; zero; w/out; devoid of
    not heard; not observed; not documented; not mentioned; has not heard; have not heard; has not seen; have not seen
    clear of; unaccompanied by; denial of; never suffered; never suffered from; never experienced; never complained of
    never developed; does not suffer from; did not suffer; has not developed; did not develop; no trace of; no hint of
    tested negative for; tests negative for; screened negative for; screen negative for; negative screen for
    noncontributory for; neither; not exhibit; does not exhibit; did not exhibit; not display; does not display
    not appreciate; did not appreciate; not endorse; did not endorse; declines any; lack any; ceased to have
    low suspicion for; low suspicion of; no suspicion for; no suspicion of; no concern for; no concerns for
    no risk of; argues against; argue against; evidence against; speaks against; without a history of
    no one in the family has; nobody in the family has; never been diagnosed with; not been diagnosed with
""") + tuple(
    f"nor {verb} {who}"
    for verb in ("does", "did", "do", "has", "had", "is", "was", "were", "are")
    for who in ("he", "she", "they", "it", "there", "the patient", "patient")
)
# Deny the words next to them.
DENIES_NEXT_WORDS = _lines("""
    not; isn't; wasn't; aren't; weren't; hasn't; haven't; doesn't; didn't; don't; not a; not any; not present with
    never any; anything but; absent; rather than; instead of; as opposed to; unlikely to be; unlikely to have
    unlikely to represent; less likely; doubt
""")
# Deny the one thing before them.
DENIES_WHAT_PRECEDES = _lines("""
    was negative; is negative; is absent; was absent; was ruled out; is ruled out; has been ruled out; not seen
    is not seen; was not seen; not present; is not present; was not present; is denied; was denied; not noted
    not identified; is not identified; was not identified; was not noted; is not noted; not appreciated
    not detected; not found; was not found; not evident; is unlikely; unlikely; excluded; was excluded
    has been excluded; none; none noted; none seen; none reported; was not reported; not reported; not elicited
    not demonstrated; not visualized; not felt; not palpable; neg; -ve; negative; absent; denied; never occurred
    did not occur; does not occur; has not occurred; has not recurred; did not recur; never recurred; not heard
    was not heard; not observed; was not observed; is not observed; not documented; not mentioned; was not mentioned
    not endorsed; not complained of; not experienced; not auscultated; not apparent; is not apparent; was not apparent
    not visible; not obvious; could not be found; could not be demonstrated; could not be elicited; was refuted
    not confirmed; was not confirmed; could not be confirmed; nil; ruled out; is doubtful; less likely; is less likely
""")
# Deny the whole list before them.
DENIES_PRECEDING_LIST = _lines("""
    are negative; were negative; all negative; are all negative; were all negative; are absent; were absent
    all absent; are denied; were denied; all denied; were ruled out; are ruled out; have been ruled out
    were excluded; were not seen; are not seen; were not noted; are not noted; were not present; are not present
    were not heard; were not observed; were not reported; are not reported; were not found; are not found
    were not palpable; are not palpable; were not elicited; were not experienced; are not evident; were not evident
    not present at this time; are unlikely
""")

# Deny what follows, and put what precedes into the past.
BOTH_WAYS = frozenset({"no longer"})

# Put what follows into the past.
PAST_FOLLOWS = _lines("""
    history of; hx of; hx; h/o; past history of; prior history of; previous history of; remote history of
    known history of; distant history of; prior; previous; previously; past; formerly; former; used to; used to have
    once had; had once; had previously; previously had; had had; was once; remote; childhood; prior episode of
    prior episodes of; recovered from; cured of; grew out of; outgrew; status post resolved; following resolution of
    used to suffer from; used to get; previously suffered from; formerly had; past episodes of; past episode of
    old fracture; old fractures; old infarct; old infarction; old stroke; earlier episode of; earlier episodes of
    got over; has got over; no recurrence since; overcame
""")
# Put what precedes them into the past.
PAST_PRECEDES = _lines("""
    resolved; has resolved; have resolved; had resolved; was resolved; now resolved; since resolved; which resolved
    has now resolved; completely resolved; fully resolved; resolved spontaneously; cleared; has cleared
    have cleared; cleared up; cleared completely; went away; has gone; have gone; now gone; is gone; are gone
    gone now; all gone; has gone away; gone away; subsided; has subsided; have subsided; have ceased; ceased
    has ceased; has stopped; have stopped; stopped; disappeared; has disappeared; have disappeared
    abated; has abated; outgrown; was outgrown; healed; has healed; fully recovered; has recovered; recovered
    recovered fully; regained; since regained; has passed; have passed; was cured; long since stopped; free since
    did not return; has not returned; never returned; has not come back; has not been a problem since
    does not bother him anymore; does not bother her anymore; remitted; in remission; has lifted; has settled
    have settled; now settled; settled completely; has now settled; has now gone; have now gone; has now cleared
    have now resolved; has now subsided; have now subsided; has now stopped; is no more; has not recurred since
    is behind him; is behind her; is a thing of the past; has been cured; no longer a problem
    is no longer a problem; no longer present; is no longer present; no longer an issue; is over; faded; has faded
    died down; has died down; wore off; has worn off; went into remission; vanished; has vanished
""")
# Put what stands around them into the past, between one turn of the sentence and the next.
PAST_AROUND = _lines("""
    in the past; years ago; year ago; decades ago; as a child; as a kid; as a toddler; as a baby; as an infant
    as a newborn; as a teenager; as a teen; as a boy; as a girl; as a youth; in childhood; in infancy
    in adolescence; in her twenties; in his twenties; in her thirties; in his thirties; in her teens; in his teens
    in college; in high school; last year; in her youth; in his youth; at one time; at one point; at birth; long ago
    before the; before her; before his; before being; prior to the; during childhood; when he was; when she was
    before treatment; before surgery; at age; at the age of; many years back; years back; years earlier; years before
    several years ago; in early life; in young adulthood; during her pregnancy; during his youth; some time ago
""")

# What follows might be, one day, or is doubted.
MIGHT_FOLLOWS = _lines("""
    return to; go to the emergency; come to the emergency
    if; should he; should she; should they; should the; should you; should there; should any; should his; should her
    in case; in case of; in the event of; in the event that; as needed for; when needed for; prn for; p.r.n for; prn
    p.r.n; watch for; watched for; watching for; to watch for; watch out for; look for; looking for; to look for
    look out for; on the lookout for; monitor for; monitored for; monitoring for; to monitor for; observe for
    observed for; be alert for; alert to; risk of; risk for; risks of; at risk for; at risk of; high risk for
    increased risk of; risks including; risks include; risks; the risks; the risks of; chance of; chances of
    possibility of; potential for; danger of; complications including; complications include; complications such as
    potential complications; possible complications; side effects; side effect of; side effects including
    side effects include; side effects such as; adverse effects; may cause; can cause; could cause; might cause
    will cause; cause; causes; may produce; can produce; can lead to; may lead to; could lead to; might make
    may make; can make; may develop; might develop; could develop; may experience; might experience; return for
    return if; return with; return immediately for; call for
    call if; call us for; call 911 for; call the office for; call us if; come back for; come back if; come back with
    seek attention for; seek help for; seek care for; report any; notify us of; notify if; notify for; warned of
    warned about; warned that; warning signs; warning signs such as; warning signs of; red flags; precautions for
    educated about; educated on; counseled about; counselled about; advised about; explained that; discussed that
    discussed the possibility of; discussed risk of; to prevent; prevent; prevents; preventing; prevention of
    prophylaxis for; prophylaxis against; prophylaxis of; to avoid; avoid; protect against; screening for
    screened for; screen for; evaluate for; to evaluate for; to assess for; assess for; to check for; check for
    checked for; test for; tested for; testing for; to exclude; rule out; r/o; to rule out; ro
    instructed to call for; instructed to return for; instructed to call if; fear of; fears; afraid of
    worried about; worries about; concerned about; concern about; concerns about; anxious about; differential; ddx
    differential diagnosis; differential diagnosis includes; differential includes; would suggest
    would be concerning for; susceptible to; prone to; candidate for; vaccination against; vaccine against
    vaccinated against; immunized against; contraindicated in; indicated for; used for; used to treat; unless
    cannot exclude; can not exclude; could not exclude; can't exclude; cannot rule out; can not rule out
    could not rule out; can't rule out; unable to exclude; unable to rule out; not exclude; come back when; return when
    call when; call us when; go to the er if; go to the er for; er if; were he to; were she to; lest; for fear of
    in the unlikely event of; reassured about; dreads; dread of; educated regarding; counseled regarding
    information about; information on; handout on; leaflet on; leaflet about; precautions regarding; vigilant for
    surveillance for; so as to avoid; in order to avoid; in order to prevent; reduce the risk of; lower the risk of
    reduces the risk of; protects against; immunised against; inoculated against; predisposed to; predisposes to
    predispose to; told to expect; seek help if; seek help when; go to hospital if; come in if; suggestive of possible
    work up for possible; workup for possible
""")
MIGHT_NEXT_WORDS = _lines("""
    possible; possibly; questionable; question of; suspected; suspect; suspicion of; suspicion for; suspicious for
    concern for; concerning for; worrisome for; may have; might have; could have; may have had; might have had
    may be; might be; could be; versus; vs; likely to; perhaps; query; could represent; may represent; presumed
    potential
""")
MIGHT_PRECEDES = _lines("""
    cannot be excluded; can not be excluded; cannot be ruled out; can not be ruled out; could not be ruled out
    could not be excluded; not excluded; not ruled out; has not been ruled out; cannot exclude; is possible
    are possible; was suspected; is suspected; were suspected; is a possibility; may occur; can occur; might occur
    could occur; may recur; may develop; might develop; can develop; is a common side effect; is a side effect
    are side effects; are common side effects; precautions; prophylaxis; prevention; screening; if it; risk
    is not excluded; remains possible; remain possible; is conceivable; is suspected; are suspected; vaccination
    vaccine; cannot be discounted; is to be excluded; to be excluded; to be ruled out; needs to be ruled out
    remains in the differential; is in the differential; is on the differential; would be a concern; was questioned
    is questionable; is considered possible; is being considered; was considered
""")
FAMILY_FOLLOWS = _lines("""
    family history of; family hx of; family h/o; fh of; fhx of; family history positive for
    family history is positive for; family history significant for; family history is significant for
    family history includes; family history notable for; family history; fhx; runs in the family
    strong family history of; familial; fh; fam hx; family hx; family hx includes; family members with
    relatives with; family history of; blood relatives with; strong family history for; family history for
""")
FAMILY_PRECEDES = _lines("""
    runs in the family; run in the family; runs in his family; runs in her family; run in his family
    run in her family; in the family; in his family; in her family; in the family history; among relatives
    among his relatives; among her relatives; in several relatives; in multiple relatives; in close relatives
    in first-degree relatives; in first degree relatives; on the mother's side; on the father's side
    on his mother's side; on his father's side; on her mother's side; on her father's side; on both sides
""")
RELATIVES = frozenset("""
    mother father mom mum dad mothers fathers parents parent brother brothers sister sisters sibling siblings
    twin aunt aunts uncle uncles cousin cousins grandmother grandfather grandmothers grandfathers grandparent
    grandparents grandma grandpa son sons daughter daughters nephew niece wife husband maternal paternal
    relatives mother's father's brother's sister's dad's mom's mum's classmates roommate classmate friend friends
    coworker coworkers colleague colleagues neighbour neighbor neighbours neighbors partner spouse boyfriend girlfriend
    nephews nieces grandson granddaughter grandsons granddaughters grandchildren stepfather stepmother stepbrother
    stepsister half-brother half-sister in-laws twins fiance fiancee schoolmates schoolmate roommates
""".split())  # fmt: skip
# A relative is the one who has it ...
HAS = frozenset("""
    has had have with died dies dying suffers suffered suffer was were is are both also takes took positive
    developed got gets found committed wet needed diagnosed
""".split())  # fmt: skip
# ... or only tells of it.
TELLS = frozenset("""
    reports reported states stated says said notes noted noticed notices denies denied brought brings
    describes described believes thinks thought feels felt gave gives called tried tells told heard saw
    witnessed observed relates related admits complains complained worries worried concerned requests wants
    asks asked accompanied present gently endorses historian informs mentions recalls remembers observes helps
    helped
""".split())  # fmt: skip
TELLS_AFTER_HAS = TELLS | frozenset("""
    been seen given here able unable not at present historian in observed concerned worried very quite
    trying giving using unsure sure aware him her
""".split())  # fmt: skip

# End any scope.
TURNS = frozenset("""
    but however although though except yet still nevertheless nonetheless which apart aside because since
    whereas until when after despite secondary due other besides
""".split())  # fmt: skip
# End a list when they are not its first word: another clause has begun.
NEW_CLAUSE = frozenset("""
    has reports complains states is was are were presents does did admits notes describes had have he she
    patient they positive endorses presented came comes
""".split())  # fmt: skip
# End a list after "and" or a comma.
FRESH_VERBS = frozenset("""
    continues persists remains takes took developed develops started began feels felt appears looks went goes
""".split())  # fmt: skip

# "history of" these says that the patient has them.
LASTING = frozenset("""
    hypertension hypertensive htn diabetes diabetic dm dm2 iddm niddm hyperlipidemia hypercholesterolemia dyslipidemia
    hyperlipidaemia asthma copd emphysema cad coronary chf cardiomyopathy fibrillation afib arrhythmia arthritis
    osteoarthritis rheumatoid lupus sclerosis parkinson parkinson's parkinsonism alzheimer alzheimer's dementia epilepsy
    hypothyroidism hyperthyroidism cirrhosis hepatitis hiv aids crohn crohn's colitis gerd reflux migraine migraines
    depression anxiety bipolar schizophrenia schizoaffective adhd autism obesity osteoporosis gout psoriasis eczema
    glaucoma neuropathy fibromyalgia alcoholism copd ckd esrd renal-failure hemophilia sickle anemia bph apnea
    dialysis hypercholesterolaemia smoking tobacco endometriosis retardation palsy
""".split())  # fmt: skip
# The illness goes on, whatever the sentence says of the past before.
STILL = frozenset("still ongoing persists persist persisting continues continue continuing".split())
